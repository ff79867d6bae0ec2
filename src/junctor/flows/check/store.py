"""Whether today's code can still read what waits in a store: every message that is owed to a handler, or parked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec

from junctor.core.routing import Routing, refused_unnamed
from junctor.core.spec import HandlerSpec, ServicePlan
from junctor.errors import DecodeError, JunctorError, nearest
from junctor.flows.check.findings import Finding, place_of
from junctor.flows.check.runs import run_findings
from junctor.flows.wiring import Wiring
from junctor.messages import CONDITION, HANDLER, Message, MessageType, Status, TypeRegistry

if TYPE_CHECKING:
    from junctor.core.records import Archive, Record

PAGE = 1000
"""Messages read at a time."""

SHOWN = 5
"""Ids of messages in a finding."""

_OWED = (Status.READY, Status.CLAIMED, Status.WAITING)


class _Group(msgspec.Struct):
    """Messages that cannot be used for the same reason: the newest few by id, their number, and the first error."""

    address: str
    type: str
    parked: bool
    code: str
    what: str
    fix: str
    count: int = 0
    ids: list[str] = []


def store_findings(archive: Archive, wirings: Sequence[Wiring], most: int | None = None) -> tuple[list[Finding], int]:
    """Findings about the messages and runs of a store, and how many messages were looked at. Reads only;
    a node may run beside it.

    :param most: so many of those that wait, and of those that are parked, the newest; None for all.
    :raises StoreError: the store cannot be read.
    """
    readers = {
        f"{wiring.plan.name}/{service.spec.name}": _Reader(wiring.plan.types, service)
        for wiring in wirings
        for service in wiring.plan.services
    }
    groups: dict[tuple[str, ...], _Group] = {}
    count = 0
    for record in _records(archive, most):
        count += 1
        wrong = _wrong(record, readers, wirings)
        if wrong is not None:
            parked = record.status is Status.PARKED
            code, what, fix = wrong
            message = record.message
            key = (message.target, message.type, str(parked), code, what)
            group = groups.setdefault(key, _Group(message.target, message.type, parked, code, what, fix))
            group.count += 1
            if len(group.ids) < SHOWN:
                group.ids.append(message.id)
    found = [_finding(group, wirings) for group in groups.values()]
    return found + run_findings(archive, wirings, most), count


def _records(archive: Archive, most: int | None) -> Iterator[Record]:
    yield from islice(_pages(archive, _OWED), most)
    yield from islice(_pages(archive, (Status.PARKED,)), most)


def _pages(archive: Archive, statuses: tuple[Status, ...]) -> Iterator[Record]:
    from junctor.core.records import Query

    before: int | None = None
    while True:
        page = archive.search(Query(statuses=statuses, before=before, limit=PAGE))
        yield from page
        if len(page) < PAGE:
            break
        before = page[-1].message.seq


class _Reader:
    """The handlers of one service, as its slots find them."""

    def __init__(self, types: TypeRegistry, plan: ServicePlan) -> None:
        self.address = plan.spec.name
        self._types = types
        self._routing: Routing[tuple[HandlerSpec, MessageType]] = Routing()
        for handler in plan.spec.handlers:
            accepts = types.register(handler.accepts)
            self._routing.add(handler.name, accepts, (handler, accepts), handler.by_name)
        refused = refused_unnamed(plan.spec, plan.spec.name)
        self.unnamed = None if refused is None else refused[0]
        self.handled = [types.register(handler.accepts).name for handler in plan.spec.handlers]

    def read(self, message: Message) -> Any:
        """The body, as a slot would read it.

        :raises DecodeError: it does not fit.
        :raises LookupError: there is no handler for it.
        """
        found = self._routing.find(message)
        if found is None:
            raise LookupError(message.type)
        handler, kind = found
        if kind.cls is Any:
            kind = self._types.named(message.type) or kind
        return kind.read(message.payload, message.version, f"{message.target}.{handler.name}")


def _wrong(record: Record, readers: Mapping[str, _Reader], wirings: Sequence[Wiring]) -> tuple[str, str, str] | None:
    """Code, text and fix for a message that cannot be handled."""
    message = record.message
    if record.damaged:
        return "damaged", "the stored record fails its checksum", "It will be parked; keep a copy of the store."
    reader = readers.get(message.target)
    if reader is None:
        return _gone(message, readers, wirings)
    if CONDITION in message.headers:
        return None  # it is parked whatever it holds
    try:
        reader.read(message)
    except DecodeError as error:
        _, _, path = (error.where or "").partition(" ")
        return "cannot-decode", f"{error.what} ({path})", error.fix
    except LookupError:
        if reader.unnamed is not None and HANDLER not in message.headers:
            return "no-handler", reader.unnamed, "It will be parked; send it anew to one of them, by its name."
        fix = f"{nearest(message.type, reader.handled)}Or give the type its old name: @message(aliases=...)."
        return "no-handler", f"no handler takes {message.type}", fix
    except JunctorError as error:
        return error.code, error.what, error.fix
    return None


def _gone(message: Message, readers: Mapping[str, _Reader], wirings: Sequence[Wiring]) -> tuple[str, str, str] | None:
    flow, _, name = message.target.partition("/")
    if flow not in {wiring.plan.name for wiring in wirings}:
        return None  # of a flow that was not named; the node may host it
    if any(wiring.model.item(name) for wiring in wirings if wiring.plan.name == flow):
        return None  # it is written and disabled, or has an error of its own: its messages wait
    known = [address.partition("/")[2] for address in readers if address.startswith(f"{flow}/")]
    fix = f"{nearest(name, known)}Give the service its old name back, or its messages wait for ever."
    return "orphaned", "the service is no longer in the flow", fix


def _finding(group: _Group, wirings: Sequence[Wiring]) -> Finding:
    models = [wiring.model for wiring in wirings]
    noun = "parked" if group.parked else "pending"
    messages = f"1 {noun} message" if group.count == 1 else f"{group.count} {noun} messages"
    more = f" and {group.count - len(group.ids)} more" if group.count > len(group.ids) else ""
    where = group.address.partition("/")[2] if len(wirings) == 1 else group.address
    return Finding(
        "warning" if group.parked else "error",
        group.code,
        where,
        f"{messages} of {group.type}: {group.what}",
        group.fix,
        place_of(group.address, models),
        (f"in the store: {', '.join(group.ids)}{more}",),
    )
