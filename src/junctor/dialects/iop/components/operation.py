"""Business operations: where a production reaches out."""

from __future__ import annotations

from typing import Any

from junctor.dialects.iop.components.host import BusinessHost
from junctor.dialects.iop.components.untaken import tell_untaken


class BusinessOperation(BusinessHost):
    """A host that does something outside for each message. Its outbound adapter is ``self.adapter``."""

    def on_message(self, request: Any) -> Any:
        """Called with each message that no other method takes; what it returns is the reply. Where it is not written,
        a warning names the message."""
        tell_untaken(self, request)

    def on_keepalive(self) -> Any:
        """Called every ``KeepaliveInterval`` seconds, where that is not 0."""
