"""The contract of a provider: one end that readings go to, and that may want something of the node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Protocol

from junctor.adapters import Adapter


@dataclass(frozen=True)
class Reading:
    """What a service has submitted. ``body`` is plain data, ``source`` the name of the service, ``time`` when it was
    submitted, in UTC. ``id`` is the same at each attempt, after a kill, and when an operator sends it again: the key
    under which the other side may know what it has already."""

    body: Any
    id: str
    source: str
    time: datetime


@dataclass(frozen=True)
class Answer:
    """The answer to a call from the cloud: a status as of HTTP, and plain data."""

    status: int
    payload: Any = None


class Cloud(Protocol):
    """What a provider may tell the node; it is ``self.node`` of one. Call it in ``listen`` or ``open``."""

    async def desired(self, changes: Mapping[str, Any], *, whole: bool = False) -> None:
        """The state that is wanted of the node has changed: ``{"msb-state": {"enabled": true, "debug": false}}``.

        :param changes: a JSON merge patch (RFC 7396): null removes an entry.
        :param whole: it is all that is wanted, and not a change of it.
        """
        ...

    async def call(self, name: str, payload: Any) -> Answer:
        """The cloud calls an action by a name that the flow has given to it.

        The answer is 202 when the message is accepted, on disk in a durable flow; 404 where nothing has this name, 400
        where the payload cannot be carried.

        :raises SendError: it is not accepted: the queue is full, for one.
        """
        ...

    async def deliver(self, name: str, payload: Any) -> None:
        """The same for a message that nobody answers: one that nothing takes is parked, to be sent again."""
        ...


class Provider(Adapter):
    """Derive a provider from it. It has settings, ``self.log``, ``self.count`` and ``self.remark`` as an adapter.

    The Com service calls ``open``, then ``send`` for each reading, one at a time and in order, with ``listen`` beside
    it. What raises a ``ConnectionError``, a ``TimeoutError``, or what ``__junctor_policies__`` of the class holds for,
    has met an outage: the provider is closed, the reading stays the first, and after a while it is opened again. A
    reading that is at fault itself is parked by raising :class:`~junctor.Park`. Other exceptions are tried again, then
    parked.

    ``pace`` is the rate that its Com service keeps where the flow sets none; empty for as fast as it goes.
    """

    side = "out"
    pace: ClassVar[str] = "100/s"

    node: Cloud

    async def open(self) -> None:
        """Connect.

        :raises ConnectionError: the other side is away.
        """

    async def send(self, reading: Reading) -> None:
        """Hand over a reading, and return when the other side has it. A kill may repeat the last one.

        :raises ConnectionError: the other side is away.
        """
        raise NotImplementedError

    async def report(self, state: Mapping[str, Any]) -> None:
        """Tell the state that the node has: ``{"msb-state": {...}}``, a JSON merge patch. Called by each
        :meth:`Cloud.desired`."""

    async def listen(self) -> None:
        """Hand on what the cloud says to ``self.node``, until ``self.stopping``.

        :raises ConnectionError: the connection is lost.
        """
        while not self.stopping:
            await self.sleep("1h")

    async def close(self) -> None:
        """Give up what is left of the connection; called after an outage and at the end."""
