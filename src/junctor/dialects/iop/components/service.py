"""Business services: where messages come into a production."""

from __future__ import annotations

from typing import Any

from junctor.dialects.iop.components.host import BusinessHost


class BusinessService(BusinessHost):
    """A host that is entered from outside: by its adapter every few seconds, or through the Director."""

    _wait_for_next_call_interval: bool = True
    """A program sets it to False to be called again at once."""

    def on_process_input(self, message_input: Any = None) -> Any:
        """Called with each input; also written without a parameter. What it returns goes to whoever gave the input."""
        return self.on_message(message_input)

    def on_message(self, request: Any = None) -> Any:
        """Called where ``on_process_input`` is not written."""


class PollingBusinessService(BusinessService):
    """A business service that is called every ``CallInterval`` seconds, 5 by default."""

    @staticmethod
    def get_adapter_type() -> str | None:
        """The inbound adapter that does nothing but wait."""
        return "Ens.InboundAdapter"

    def on_process_input(self, message_input: Any = None) -> Any:
        """Called with each input; by itself it calls ``on_poll``."""
        return self.on_poll()

    def on_poll(self) -> Any:
        """Called in each interval."""
        own = type(self).on_process_input
        return None if own is PollingBusinessService.on_process_input else self.on_process_input()
