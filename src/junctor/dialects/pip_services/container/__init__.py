"""Containers of Pip.Services."""

from junctor.dialects.pip_services.container.container import Container
from junctor.dialects.pip_services.container.process_container import ProcessContainer

__all__ = ("Container", "ProcessContainer")
