"""The base class of internal services."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from junctor.core.policy import Policies, PoolPolicy
from junctor.core.port import Port
from junctor.dialects.microservicebus.services import BaseService
from junctor.settings import Setting

if TYPE_CHECKING:
    from junctor.dialects.microservicebus.hosting.bus import Bus
    from junctor.dialects.microservicebus.hosting.queue import ServiceQueue


class InternalService(BaseService):
    """A service that flows have without naming it. Operators cannot pause it.

    Its methods are actions as those of any service; ``Start`` runs on a loop of its own. ``config`` is what
    :meth:`configured` has made of the settings in the flow.
    """

    NAME: ClassVar[str]
    queue: ServiceQueue

    def __init__(self, id: str, queue: ServiceQueue, config: Mapping[str, Any]) -> None:
        super().__init__(id, queue)
        self.config = dict(config)

    @property
    def port(self) -> Port:
        """The engine, as the service sees it."""
        return self.queue.port

    @property
    def bus(self) -> Bus:
        """The services of the flow, and the state that is wanted of the node."""
        return self.queue.bus

    @classmethod
    def policies(cls) -> Policies:
        """The policies that it has when its flow says nothing."""
        return Policies(pool=PoolPolicy(size=1))

    @classmethod
    def declared(cls) -> Mapping[str, tuple[Setting, Any]]:
        """Its settings, each with its type."""
        return {}

    @classmethod
    def configured(cls, name: str, settings: Mapping[str, Any], places: Mapping[str, str]) -> Mapping[str, Any]:
        """What the constructor gets, of the settings in the flow.

        :param places: where a setting was written, for errors.
        :raises ConfigurationError: a setting is unknown or wrong.
        """
        return settings
