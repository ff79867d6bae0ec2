"""Hosts: the components that are items of a production, and send."""

from __future__ import annotations

from typing import ClassVar

from junctor.dialects.iop.components.component import Component


class BusinessHost(Component):
    """Base of services, processes and operations."""

    __junctor_dialect__: ClassVar[str] = "iop"
