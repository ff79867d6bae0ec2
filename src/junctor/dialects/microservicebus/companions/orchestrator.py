"""The service that starts and stops the others."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, ClassVar

from junctor.core.outcome import Park
from junctor.dialects.microservicebus.companions.service import InternalService
from junctor.dialects.microservicebus.hosting.config import PACKAGES, packages_from
from junctor.dialects.microservicebus.services import QueueMessage
from junctor.settings import Setting, read_settings

ACTIVE, INACTIVE = "Active", "InActive"


class Orchestrator(InternalService):
    """Starts and stops the custom services of its flow, by message."""

    NAME: ClassVar[str] = "orchestrator"

    @classmethod
    def declared(cls) -> Mapping[str, tuple[Setting, Any]]:
        return PACKAGES

    @classmethod
    def configured(cls, name: str, settings: Mapping[str, Any], places: Mapping[str, str]) -> Mapping[str, Any]:
        rules = packages_from(read_settings(PACKAGES, settings, name, places=places, in_flow=True))
        return {"packages": rules} if rules else {}

    async def _stop_custom_services(self, message: QueueMessage) -> None:
        """Stop all custom services; they get no messages until they are started."""
        await self.bus.set_enabled(False)

    async def _start_custom_services(self, message: QueueMessage) -> None:
        """Start all custom services."""
        await self.bus.set_enabled(True)

    async def _set_state(self, message: QueueMessage) -> None:
        """``{"state": "Active"}`` or ``"InActive"``, also as text."""
        wanted = state_of(message.message[0])
        if wanted is None:
            raise Park(f"{message.message[0]!r:.100} is no state; send {ACTIVE} or {INACTIVE}")
        await self.bus.set_enabled(wanted)

    async def _start_service(self, message: QueueMessage) -> None:
        """Instances cannot travel; a flow names its services."""
        self.port.log.log(logging.WARNING, "_start_service: services are started by their flow; add it there")


def state_of(payload: Any) -> bool | None:
    """Whether a state is the active one; None for what is no state."""
    word = payload.get("state") if isinstance(payload, dict) else payload
    if isinstance(word, bool):
        return word
    return {ACTIVE.lower(): True, INACTIVE.lower(): False}.get(word.lower()) if isinstance(word, str) else None
