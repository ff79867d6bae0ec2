"""Adapters: the parts of a service or operation that know a protocol."""

from __future__ import annotations

from typing import Any

from junctor.dialects.iop.components.component import Component


class InboundAdapter(Component):
    """The adapter of a business service: looks for input every ``CallInterval`` seconds and hands it over with
    ``self.business_host_python.on_process_input(...)``."""

    business_host: Any = None
    BusinessHost: Any = None
    business_host_python: Any = None

    def on_task(self) -> Any:
        """Called in each interval."""


class OutboundAdapter(Component):
    """The adapter of a business operation, ``self.adapter`` there, which calls any of its methods."""

    business_host: Any = None
    BusinessHost: Any = None
    business_host_python: Any = None

    def on_keepalive(self) -> Any:
        """Called every ``KeepaliveInterval`` seconds, where that is not 0."""
