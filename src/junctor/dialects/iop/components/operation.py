"""Business operations: where a production reaches out."""

from __future__ import annotations

from typing import Any

from junctor.dialects.iop.components.host import BusinessHost


class BusinessOperation(BusinessHost):
    """A host that does something outside for each message."""

    def on_message(self, request: Any) -> Any:
        """Called with each message that no other method takes."""
