"""Business services: where messages come into a production."""

from __future__ import annotations

from typing import Any

from junctor.dialects.iop.components.host import BusinessHost


class BusinessService(BusinessHost):
    """A host that is entered from outside: by its adapter, every few seconds, or through the Director."""

    def on_process_input(self, message_input: Any = None) -> Any:
        """Called with each input."""


class PollingBusinessService(BusinessService):
    """A business service that is called every ``CallInterval`` seconds, 5 by default."""

    @staticmethod
    def get_adapter_type() -> str | None:
        """The inbound adapter that does nothing but wait."""
        return "Ens.InboundAdapter"

    def on_poll(self) -> Any:
        """Called in each interval."""
