"""The service that stands for the portal."""

from __future__ import annotations

from typing import Any, ClassVar

from junctor.dialects.microservicebus.companions.service import InternalService
from junctor.dialects.microservicebus.services import QueueMessage

NO_HUB = "the node has no hub: %s does nothing"


class MicroServiceBusHandler(InternalService):
    """Speaks with the hub of the node. A node without one has nothing to say; what services ask is answered so."""

    NAME: ClassVar[str] = "msb"

    async def request_connectionstring(self, message: QueueMessage) -> None:
        """The connection string goes to the action that the payload names: ``{"action": ...}``. There is none here."""
        payload = message.message[0]
        action = payload.get("action") if isinstance(payload, dict) else None
        self.port.log.warning("the node has no hub, and so no connection string; Com has a setting for it")
        if isinstance(action, str) and action:
            answer: dict[str, Any] = {**self.get_settings(), "receiveConnectionString": ""}
            await self.SubmitAction(message.source, action, answer)

    async def refresh_vpn_settings(self, message: QueueMessage) -> None:
        """Not without a hub."""
        self.port.log.warning(NO_HUB, "refresh_vpn_settings")

    async def update_vpn_endpoint(self, message: QueueMessage) -> None:
        """Not without a hub."""
        self.port.log.warning(NO_HUB, "update_vpn_endpoint")

    async def terminal_output(self, message: QueueMessage) -> None:
        """Not without a hub."""
        self.port.log.warning(NO_HUB, "terminal_output")

    async def _stop_custom_services(self, message: QueueMessage) -> None:
        """As the orchestrator does it."""
        await self.bus.set_enabled(False)

    async def _start_custom_services(self, message: QueueMessage) -> None:
        """As the orchestrator does it."""
        await self.bus.set_enabled(True)
