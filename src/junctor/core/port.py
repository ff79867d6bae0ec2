"""The one door from a service to the engine. ``services/``, dialects and adapters see this and nothing of the runtime.

A port belongs to one service of one flow. Its calls know by themselves whether they happen inside a delivery (the send
joins it and becomes durable with its acknowledgement), in a route or action, or in ``loop()`` and ``on_start`` (the
send is accepted on its own), and whether they come from the node's event loop or from another thread.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from junctor.core.condition import Condition
from junctor.core.run import RunPort
from junctor.messages import Message, MessageType

T = TypeVar("T", covariant=True)


class Link(msgspec.Struct, eq=False):
    """A resolved connection: the address it leads to and the types on it. Only the engine changes it, where a flow is
    changed while it runs: who holds it then sends by the new types and times.

    ``handler`` names the one that messages on this link are for; empty, their type decides.
    ``by_reference`` is true when the transport hands over frozen bodies of this type as they are.
    ``when`` is the condition that a body must meet to travel on it.
    ``wait`` is the time in nanoseconds that a request has when the caller gives none.
    ``takes`` are the body classes that the service at its end has handlers for; empty where one takes anything, or
    where nobody knows.
    """

    address: str
    accepts: MessageType
    replies: MessageType | None = None
    by_reference: bool = False
    wait: int = 30_000_000_000
    handler: str = ""
    when: Condition | None = None
    takes: tuple[Any, ...] = ()


class Receipt(msgspec.Struct, frozen=True, gc=False):
    """What an accepted send answers. ``duplicate`` tells that the same origin had been accepted before: ``id`` is then
    the earlier message."""

    id: str
    session: str
    duplicate: bool = False


class Pending(Protocol, Generic[T]):
    """The result of a send or request. Await it in async code; in blocking code call ``result``.

    :raises SendError: the message was not accepted.
    :raises RequestError: no reply came.
    """

    def __await__(self) -> Generator[Any, Any, T]: ...

    @property
    def result(self) -> Callable[..., T]:
        """Call it, with a timeout in seconds or without, to block until the result is there. Not on the node's loop."""
        ...


class StateView(Protocol):
    """The persisted state of one service under one key: names to values that JSON can carry.

    Inside a delivery it reads the delivery's own writes, and writes join the delivery. Elsewhere it reads what is
    committed and refuses writes with :class:`~junctor.errors.StateError`.
    """

    def read(self, name: str) -> Any:
        """A copy of the value.

        :raises KeyError: there is no such entry.
        """
        ...

    def write(self, name: str, value: Any) -> None: ...

    def delete(self, name: str) -> None: ...

    def names(self) -> Sequence[str]: ...


class Port(Protocol):
    """Everything that a service may ask of the engine."""

    flow: str
    service: str
    log: logging.Logger | logging.LoggerAdapter[logging.Logger]

    def links(self, target: str) -> tuple[Link, ...]:
        """Where the flow connected the named target; empty for an optional one that is not connected.

        :raises WiringError: the service has no such target.
        """
        ...

    def link_to(self, service: str, request: Any, reply: Any = None, *, handler: str | None = None) -> Link:
        """A link made at run time to a service of this flow, or to ``flow/service`` elsewhere in the node.

        With ``handler`` to its handler of that name. Then ``request`` may be Any also where the handler declares a
        type: plain data is read as that type when it is sent.

        :raises UnknownTarget: with the nearest names.
        :raises WiringError: the service has no such handler, or none for the type.
        """
        ...

    def send(
        self,
        link: Link,
        body: Any,
        *,
        key: str | None = None,
        delay: float = 0.0,
        headers: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
    ) -> Pending[Receipt | None]:
        """Hand a message over. Inside a delivery it joins the delivery and the receipt is None.

        In a thread it returns only when the message is accepted; on the event loop await it.
        """
        ...

    def request(
        self,
        link: Link,
        body: Any,
        *,
        key: str | None = None,
        timeout: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Pending[Any]:
        """Hand a message over and get the reply. Inside a delivery it commits the earlier sends of the delivery too.

        :param timeout: seconds; ``math.inf`` for a request that does not expire; without it the target's own.
        """
        ...

    def publish(self, body: Any, *, key: str | None = None, headers: Mapping[str, str] | None = None) -> Pending[int]:
        """Send to every service of the flow that subscribes to the type. The number of receivers."""
        ...

    def broadcast(
        self, body: Any, *, handler: str | None = None, headers: Mapping[str, str] | None = None
    ) -> Pending[int]:
        """Send to every service of the flow that handles the type, with ``handler`` to every one that has a handler of
        this name; the sender included. The number of receivers."""
        ...

    @property
    def runs(self) -> RunPort:
        """What a durable service asks of the engine beside all this.

        :raises StateError: the service is not one of a node.
        """
        ...

    def message(self) -> Message | None:
        """The message being handled, None outside a delivery."""
        ...

    def state(self, key: str | None = None) -> StateView:
        """The state under ``key``; inside a delivery the key of its message is the default."""
        ...

    @property
    def stopping(self) -> bool:
        """True from the moment the service is asked to stop. Cheap enough for every turn of a loop."""
        ...

    def time_ns(self) -> int:
        """The node's clock, nanoseconds since 1970. Callable from any thread."""
        ...

    def count(self, what: str, amount: int = 1) -> None:
        """Add to a sum of the service, which operators see: ``junctor_service_counts_total`` in the metrics, ``counts``
        in ``junctor status --json``. It begins with the node. Callable from any thread.

        It counts at once, whatever becomes of the delivery: what is done again counts again.

        :param what: a short word that is always the same, such as ``lines``; of more than 100 different ones the rest
            are added up as ``other``.
        :param amount: not below 0.
        :raises StateError: the port is not one of a service.
        """
        ...

    def reached(self) -> None:
        """``loop()`` says that it has reached the other side: an outage that lasts is over. Without a word it is over
        when ``loop()`` returns, or has run for ``hold.max``. Callable from any thread; nothing elsewhere than in
        ``loop()``, since a tick says it by its end.

        :raises StateError: the port is not one of a service.
        """
        ...

    def sleep(self, seconds: float) -> Pending[bool]:
        """Wait on the node's clock; ends early, with True, when the service is asked to stop. Blocks in a thread."""
        ...
