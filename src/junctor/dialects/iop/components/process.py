"""Business processes: one conversation for each request."""

from __future__ import annotations

from typing import Any

from junctor.dialects.iop.components.host import BusinessHost


class BusinessProcess(BusinessHost):
    """A host that asks others and goes on with each reply."""

    def on_message(self, request: Any) -> Any:
        """Called with the request that begins the conversation."""
