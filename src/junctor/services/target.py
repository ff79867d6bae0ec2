"""Targets: the outgoing ports of a service. Declared as annotations, connected by the flow."""

from __future__ import annotations

import functools
import logging
import math
import types
import typing
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, Union

from junctor.clock import parse_duration
from junctor.core.port import Link, Pending, Port, Receipt
from junctor.core.spec import TargetSpec
from junctor.errors import (
    ConditionFailed,
    EncodeError,
    JunctorError,
    NoRoute,
    NotRunning,
    OutsideDelivery,
    WiringError,
    storable,
)
from junctor.messages import CONDITION, without_reserved
from junctor.messages.types import is_body_class

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    Req = TypeVar("Req")
    Rep = TypeVar("Rep", default=None)
else:
    Req = typing.TypeVar("Req")
    Rep = typing.TypeVar("Rep")


log = logging.getLogger("junctor.target")

Asks = Callable[[str, Link, Any, "str | None", "str | None", "float | None", "Mapping[str, str] | None"], None]
"""What takes a request of a conversation: the target, the link, the body, the name of its end, the key, the timeout in
seconds, and the headers."""


class Target(Generic[Req, Rep]):
    """An outgoing port: ``readings: Target[Reading]``, or ``crm: Target[CreateAccount, Account]`` with a reply.

    The flow connects it to a service that handles the type; ``Target[Reading] | None`` may stay unconnected and is
    then None. In a service without a node, as in a unit test, it records: see :class:`RecordingTarget`.
    """

    __slots__ = ("_asks", "_class", "_link", "_links", "_nowhere", "_request", "_send", "_where")

    def __class_getitem__(cls, item: Any) -> Any:
        # Generic insists on both parameters; the reply may be left out.
        return types.GenericAlias(cls, item if isinstance(item, tuple) else (item,))

    def __init__(self, port: Port, links: tuple[Link, ...], kind: Any, where: str) -> None:
        self._links = links
        self._link = links[0] if len(links) == 1 and links[0].when is None else None
        self._class = _checkable(kind)
        self._send = port.send
        self._request = port.request
        self._where = where
        self._nowhere = 0
        self._asks: Asks | None = None

    def send(
        self,
        body: Req,
        *,
        key: str | None = None,
        delay: float | str | None = None,
        headers: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
    ) -> Pending[Receipt | None]:
        """Hand a message over; await it in async code. Connected to several services, each gets it whose condition
        holds; where none does, it goes nowhere and the receipt is None.

        Within a delivery the message joins it, and goes out when the delivery is done. Elsewhere it is accepted,
        durably, when the awaiting (in a thread: the call) is over.

        :param key: what keeps messages in order in a target with a pool, where its flow names no field.
        :param delay: seconds, or a text like ``"5m"``, before it may be delivered.
        :param idempotency_key: the same key twice is accepted once.
        :raises EncodeError: the body is not of the target's type.
        :raises SendError: it was not accepted.
        """
        if not isinstance(body, self._class):
            raise self._wrong(body)
        link = self._link
        if link is not None and key is None and delay is None and headers is None and idempotency_key is None:
            return self._send(link, body)
        wait = 0.0 if delay is None else parse_duration(delay)
        if link is not None:
            return self._send(link, body, key=key, delay=wait, headers=headers, idempotency_key=idempotency_key)
        return Several(
            [
                self._send(one, body, key=key, delay=wait, headers=given, idempotency_key=idempotency_key)
                for one, given in self._open_to(body, key, headers)
            ]
        )

    def request(
        self,
        body: Req,
        *,
        key: str | None = None,
        timeout: float | str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Pending[Rep]:
        """Hand a message over and get the reply: ``await`` it, or in a thread ``.result()``. Of several services with
        conditions the first is asked whose condition holds.

        :param timeout: seconds, or a text, for the reply to come; the flow's for the target service by default,
            ``math.inf`` for a request that never expires.
        :raises RequestError: no reply came.
        :raises NoRoute: no condition holds.
        """
        link = self._link
        if not isinstance(body, self._class):
            raise self._wrong(body)
        if link is None:
            link, headers = self._route(body, key, headers)
        if timeout is None and key is None and headers is None:
            return self._request(link, body)
        seconds = timeout if timeout is None or timeout == math.inf else parse_duration(timeout)
        return self._request(link, body, key=key, timeout=seconds, headers=headers)

    def ask(
        self,
        body: Req,
        *,
        name: str | None = None,
        key: str | None = None,
        timeout: float | str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """In a :class:`~junctor.Conversation`: make a request and do not wait. Its reply comes to the method marked
        with ``@on_reply(name)``, its failure to that with ``@on_failure(name)``, however much later. It goes out when
        the callback is done.

        :param name: the name under which its end comes back; the name of the target by default.
        :param timeout: seconds, or a text like ``"1h"``, after which it has failed; without it, it may take for ever.
        :raises OutsideDelivery: no callback of a conversation runs.
        """
        if not isinstance(body, self._class):
            raise self._wrong(body)
        if self._asks is None:
            fix = "Use request(), or derive the class from junctor.Conversation."
            raise OutsideDelivery("only a conversation asks and goes on later", where=self._where, fix=fix)
        link = self._link
        if link is None:
            link, headers = self._route(body, key, headers)
        seconds = None if timeout is None or timeout == math.inf else parse_duration(timeout)
        # "booking.hotel", or "booking -> hotel" of a target that was chosen at run time
        own = self._where.rpartition(".")[2].rpartition(" -> ")[2]
        self._asks(own, link, body, name, key, seconds, headers)

    def _open_to(
        self, body: Req, key: str | None, headers: Mapping[str, str] | None
    ) -> Iterator[tuple[Link, Mapping[str, str] | None]]:
        """The links that a message takes, each with its headers. Where nobody can tell, it takes the link and is parked
        at its end, with the reason: nothing is lost because of a condition."""
        taken = False
        for link in self._links:
            given = headers
            if link.when is not None:
                given = without_reserved(headers) if headers else headers
                try:
                    if not link.when.holds(body, key, given):
                        continue
                except ConditionFailed as error:
                    log.debug("%s -> %s: %s", self._where, link.address, error)
                    given = {**(given or {}), CONDITION: storable(f"{error.where}: {error.what}")}
            taken = True
            yield link, given
        if not taken and self._links:
            self._nowhere += 1
            text = "%s: no condition holds for this %s, it goes nowhere; %d so far"
            log.debug(text, self._where, type(body).__name__, self._nowhere)

    def _route(
        self, body: Req, key: str | None, headers: Mapping[str, str] | None
    ) -> tuple[Link, Mapping[str, str] | None]:
        if not all(link.when is not None for link in self._links[:-1]) or not self._links:
            raise self._not_one()
        route = next(self._open_to(body, key, headers), None)
        if route is None:
            conditions = ", ".join(f"`{link.when.text}`" for link in self._links if link.when is not None)
            raise NoRoute(f"none of its conditions holds: {conditions}", where=self._where)
        return route

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where it leads to: ``flow/service``."""
        return tuple(link.address for link in self._links)

    @property
    def accepts(self) -> tuple[Any, ...]:
        """The body classes that the services at its end have handlers for. Empty where one of them takes anything, and
        where that is not known: in a worker process, or without a node."""
        kinds = [link.takes for link in self._links]
        return tuple(dict.fromkeys(kind for taken in kinds for kind in taken)) if all(kinds) else ()

    @property
    def sent(self) -> list[Req]:
        """What was sent, in a service without a node. A node keeps it in the trace instead."""
        raise AttributeError(f"{self._where}.sent is kept only without a node; `junctor messages` lists what was sent")

    @property
    def asked(self) -> list[Req]:
        """What a conversation without a node has asked."""
        raise AttributeError(f"{self._where}.asked is kept only without a node; `junctor messages` lists what was sent")

    @property
    def answers(self) -> list[Any]:
        """The replies to give, in a service without a node."""
        raise AttributeError(f"{self._where}.answers is used only without a node; {self!r} asks a real service")

    def _wrong(self, body: object) -> JunctorError:
        expected = _names(self._class)
        return EncodeError(
            f"expected {expected}, got {type(body).__name__}",
            where=self._where,
            fix=f"Send {_article(expected)} {expected}, or declare the target with the type you send.",
        )

    def _not_one(self) -> JunctorError:
        where = ", ".join(self.addresses) or "nothing"
        fix = "Connect it to exactly one service, or use send()."
        return WiringError(
            f"a request needs exactly one service, the target leads to {where}", where=self._where, fix=fix
        )

    def __repr__(self) -> str:
        return f"<Target {self._where} -> {', '.join(self.addresses) or 'nothing'}>"


class RecordingTarget(Target[Req, Rep]):
    """A target that leads nowhere and keeps what it is given. A service without a node has these.

    ``sent`` has the bodies of sends and requests in order, ``asked`` what a conversation asked. Put the replies of
    requests into ``answers`` before, each a value or an exception to raise:
    ``service.crm.answers.append(Account("1"))``.
    """

    __slots__ = ("_answers", "_asked", "_sent")

    def __init__(self, kind: Any = Any, where: str = "target", answers: Sequence[Any] = ()) -> None:
        self._sent: list[Req] = []
        self._asked: list[Req] = []
        self._answers: list[Any] = list(answers)
        self._links = ()
        self._link = None
        self._class = _checkable(kind)
        self._where = where

    @property
    def sent(self) -> list[Req]:
        return self._sent

    @property
    def answers(self) -> list[Any]:
        return self._answers

    @property
    def asked(self) -> list[Req]:
        return self._asked

    def ask(self, body: Req, **options: Any) -> None:
        """Record the body, checked like a real one."""
        if not isinstance(body, self._class):
            raise self._wrong(body)
        self._asked.append(body)

    def send(self, body: Req, **options: Any) -> Pending[Receipt | None]:
        """Record the body, checked like a real one."""
        self._record(body)
        return Ready(None)

    def request(self, body: Req, **options: Any) -> Pending[Rep]:
        """Record the body and give the next of ``answers``.

        :raises NotRunning: there is no answer left.
        """
        self._record(body)
        if not self._answers:
            fix = f"Put the reply there before: {self._where}.answers.append(...)."
            raise NotRunning("no node runs here and no answer was prepared", where=self._where, fix=fix)
        answer = self._answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return Ready(answer)

    def _record(self, body: Req) -> None:
        if not isinstance(body, self._class):
            raise self._wrong(body)
        self._sent.append(body)


class Ready:
    """A result that is there already."""

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        self._value = value

    def __await__(self) -> Generator[Any, Any, Any]:
        yield from ()
        return self._value

    def result(self, timeout: float | None = None) -> Any:
        return self._value


class Several:
    """One message to several services: over when each accepted it. The receipt of the first, or the first error."""

    __slots__ = ("_parts",)

    def __init__(self, parts: list[Pending[Receipt | None]]) -> None:
        self._parts = parts

    def __await__(self) -> Generator[Any, Any, Receipt | None]:
        receipts, errors = [], []
        for part in self._parts:
            try:
                receipts.append((yield from part.__await__()))
            except JunctorError as error:
                errors.append(error)
        return _first(receipts, errors)

    def result(self, timeout: float | None = None) -> Receipt | None:
        receipts, errors = [], []
        for part in self._parts:
            try:
                receipts.append(part.result(timeout))
            except JunctorError as error:
                errors.append(error)
        return _first(receipts, errors)


def _first(receipts: list[Receipt | None], errors: list[JunctorError]) -> Receipt | None:
    if errors:
        raise errors[0]
    return receipts[0] if receipts else None


def target_spec(name: str, hint: Any) -> TargetSpec | None:
    """The target that a resolved annotation declares, None when it declares something else."""
    optional = False
    if typing.get_origin(hint) in (Union, types.UnionType):
        parts = [part for part in typing.get_args(hint) if part is not type(None)]
        optional = len(parts) < len(typing.get_args(hint))
        hint = parts[0] if len(parts) == 1 else None
    if hint is Target:
        return TargetSpec(name=name, request=Any, optional=optional)
    origin = typing.get_origin(hint)
    if not (isinstance(origin, type) and issubclass(origin, Target)):
        return None
    request, *rest = typing.get_args(hint)
    reply = rest[0] if rest and rest[0] not in (None, type(None)) else None
    return TargetSpec(name=name, request=request, reply=reply, optional=optional)


def members(kind: Any) -> tuple[Any, ...]:
    """The types that a body may have: the parts of a union, else the type alone."""
    return typing.get_args(kind) if typing.get_origin(kind) in (Union, types.UnionType) else (kind,)


def wire_types(kind: Any) -> tuple[Any, ...]:
    """The types under which bodies travel: each class of a union has its own, a union of plain values is one."""
    parts = members(kind)
    return parts if all(map(is_body_class, parts)) else (kind,)


@functools.lru_cache(maxsize=512)
def _checkable(kind: Any) -> Any:
    """What ``isinstance`` can test of a type; ``object`` where only the encoder can tell."""
    parts = [typing.get_origin(part) or part for part in members(kind)]
    if float in parts:
        parts.append(int)
    if all(isinstance(part, type) and part is not Any for part in parts):
        return parts[0] if len(parts) == 1 else tuple(parts)
    return object


def _article(word: str) -> str:
    return "an" if word[:1].upper() in "AEIO" else "a"


def _names(kind: Any) -> str:
    return " or ".join(part.__name__ for part in (kind if isinstance(kind, tuple) else (kind,)))
