"""What can be sent again, and as what: checked before anything is sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import structs

from junctor.core.edits import EditRefused, unknown_fields
from junctor.core.routing import Routing, refused_unnamed
from junctor.errors import HIDES, DecodeError, JunctorError, NoHandler, UnknownTarget, nearest
from junctor.messages import (
    EFFECT,
    HANDLER,
    RESEND_OF,
    RUN_HEADERS,
    Kind,
    Message,
    MessageType,
    Status,
    codec,
    without_reserved,
)
from junctor.messages.sensitive import sensitive_paths
from junctor.observe.hidden import Hidden
from junctor.runtime.intake import bounded
from junctor.transports.base import Record

if TYPE_CHECKING:
    from junctor.runtime.engine import Engine
    from junctor.runtime.host import Host

Edit = Callable[[Any], Any]
"""From the body of the original as plain JSON values to the one to send; None where the original cannot be read."""

LOOK = "`junctor trace {}` shows what came of it."
"""The next step, for an error about a message of this number."""

_HOPS = {
    Kind.TICK: "is the tick of a schedule",
    Kind.ROUTE: "is the call of a route",
    Kind.ACTION: "is the call of an action",
}
_CALLED = "It has no body to send. `junctor call SERVICE NAME` runs a schedule or an action again."


class NotResendable(JunctorError):
    """A message cannot be sent again, or discarded, as it is: it is still to be handled, was handled, or is a hop."""

    code = "not-resendable"
    default_fix = "`junctor parked` lists what can be sent again."
    status = 409


class Purged(JunctorError):
    """Nothing is stored under a number that was given out: retention has removed its record, or there was none, as of a
    tick that did nothing."""

    code = "purged"
    default_fix = "`junctor messages` lists what is stored; `retention:` in the flow keeps failures longer."
    status = 410


class Resending(msgspec.Struct, frozen=True, kw_only=True):
    """How messages are sent again. ``to`` is the address of another service. ``again``: also what was handled already,
    and its effects outside count anew. ``edit`` changes the body; ``typed``: with texts that somebody typed, which are
    numbers and truth values where the type of the handler has them."""

    who: str = ""
    to: str | None = None
    again: bool = False
    edit: Edit | None = None
    typed: bool = False


class Prepared(msgspec.Struct, frozen=True):
    """What would be sent for an original: everything is checked."""

    host: Any
    type: str
    version: int
    payload: Any
    key: str | None
    headers: Mapping[str, str]


def prepared(engine: Engine, record: Record, how: Resending) -> Prepared:
    """What would be sent.

    :raises NotResendable: not as it is.
    :raises UnknownTarget: its service does not run here.
    :raises NoHandler: the service does not handle it.
    :raises DecodeError: the body does not fit the type of the handler; the text has the path of the field.
    :raises EditRefused: the edit names a field that is not there.
    """
    _check(record, how)
    old = record.message
    host = _host(engine, how.to or old.target, old)
    headers = _headers(old, how, host)
    kind = handled_by(host, structs.replace(old, target=host.address, headers=headers))
    if how.edit is not None:
        return _edited(old, how.edit, how.typed, kind, host, headers)
    payload = old.payload if host.address == old.target else _encoded(old.payload)
    body = _read(kind, payload, old.version, f"message {old.id}") if type(payload) is bytes else payload
    key = host.key_of(body) if how.to and host.keyed else old.key
    return Prepared(host, old.type, old.version, payload, key, headers)


def _edited(
    old: Message, edit: Edit, typed: bool, kind: MessageType, host: Host, headers: Mapping[str, str]
) -> Prepared:
    where, original = f"message {old.id}", _plain(old.payload)
    edited = edit(original)
    try:
        body = _read_edited(kind, edited, typed, where)
    except DecodeError as error:
        error.fix = "Correct this part of the body."
        raise
    payload = kind.encode(body)  # as a sender would have written it
    bounded(payload, host.dispatcher.max_body, "the edited body", where)
    taken = msgspec.json.decode(payload)
    if unknown := unknown_fields(edited, taken, original):
        known = nearest(unknown[0], taken) if isinstance(taken, dict) else ""
        raise EditRefused(f"{kind.name} has no field {unknown[0]}", where=where, fix=known.rstrip() or None)
    name, version = (kind.name, kind.version) if kind.cls is not Any else (old.type, old.version)
    return Prepared(host, name, version, payload, host.key_of(body) if host.keyed else old.key, headers)


def _read_edited(kind: MessageType, edited: Any, typed: bool, where: str) -> Any:
    """An edited body, by its type. Where it had a text by mistake, as a row of CSV has "many" for a number, what was
    typed instead is a text, too: it is read as the number that it is.

    :raises DecodeError: it does not fit.
    """
    payload = msgspec.json.encode(edited)
    try:
        return _read(kind, payload, kind.version, where)
    except DecodeError:
        if not typed:
            raise
    try:
        return codec.convert(edited, kind.cls, strict=False)
    except Exception as error:
        raise _without_secrets(codec.decode_error(error, where, kind.name), kind, payload) from error


def _read(kind: MessageType, payload: bytes, version: int, where: str) -> Any:
    """The body, by its type.

    :raises DecodeError: it does not fit.
    """
    try:
        return kind.read(payload, version, where)
    except DecodeError as error:
        _without_secrets(error, kind, payload)
        raise


def _without_secrets(error: DecodeError, kind: MessageType, payload: bytes) -> DecodeError:
    """The error; whoever tells it quotes no sensitive value of the body."""
    setattr(error, HIDES, Hidden(payload, sensitive_paths(kind.cls)))
    return error


def _host(engine: Engine, address: str, message: Message) -> Host:
    if address in engine.hosts:
        return engine.dispatcher.host_of(address)
    others = sorted(host.address for host in engine.hosts.values() if _handles(host, message))
    fix = f"Send it to another one: --to {' or '.join(others)}." if others else "No other service handles its type."
    where = f"message {message.id}"
    raise UnknownTarget(f"the service {address} is not in the flow any more", where=where, fix=fix)


def gone(seq: int) -> Purged:
    """The error about a number under which nothing is stored."""
    return Purged(f"nothing is stored under number {seq}: it left no record, or retention has removed it")


def handled_by(host: Host, message: Message) -> MessageType:
    """The type as which a service reads a message.

    :raises NoHandler: it has no handler for it; the fix lists what it handles.
    """
    routing: Routing[MessageType] = Routing()
    for spec in host.spec.handlers:
        accepts = host.types.register(spec.accepts)
        routing.add(spec.name, accepts, accepts, spec.by_name)
    for spec in host.spec.inner:
        accepts = host.types.register(spec.accepts)
        routing.add(spec.name, accepts, accepts, by_name=True)
    kind = routing.find(message)
    if kind is None and HANDLER not in message.headers and (refused := refused_unnamed(host.spec, host.service)):
        raise NoHandler(refused[0], where=host.address, fix="Send it anew to one of them, by its name.")
    if kind is None:
        names = ", ".join(sorted({found.name for _, found in routing.all()})) or "nothing"
        raise NoHandler(f"the service does not handle {message.type}", where=host.address, fix=f"It handles {names}.")
    return (host.types.named(message.type) or kind) if kind.cls is Any else kind


def _handles(host: Host, message: Message) -> bool:
    try:
        handled_by(host, structs.replace(message, headers={}))
    except NoHandler:
        return False
    return True


def _check(record: Record, how: Resending) -> None:
    """:raises NotResendable: it cannot be sent again as it is."""
    old, status = record.message, record.status
    name = f"message {old.id}"
    if old.kind in _HOPS:
        raise NotResendable(f"{name} {_HOPS[old.kind]}", fix=_CALLED)
    if status < Status.DONE:
        raise NotResendable(f"{name} is still to be handled: it is {status.name.lower()}", fix=LOOK.format(old.seq))
    if status is Status.DONE and not how.again:
        fix = "--again sends it once more; what it does outside is done once more then."
        raise NotResendable(f"{name} was handled", fix=fix)
    if status is Status.RESENT and not how.again:
        fix = f"{LOOK.format(old.seq)} Send the newer one again; --again sends this one once more."
        raise NotResendable(f"{name} was sent again already", fix=fix)
    if record.damaged and how.edit is None:
        raise NotResendable(f"{name} is damaged, its body cannot be trusted", fix="Give the whole body with --body.")


def _headers(old: Message, how: Resending, host: Host) -> Mapping[str, str]:
    """Those of the sender, and the engine's own for a resend. A condition is not asked twice."""
    headers = dict(without_reserved(old.headers))
    handler = old.headers.get(HANDLER)
    if handler is not None and (how.to is None or any(spec.name == handler for spec in host.spec.handlers)):
        headers[HANDLER] = handler
    if how.to is None:  # for, or from, the same run
        headers |= {name: text for name, text in old.headers.items() if name in RUN_HEADERS}
    headers[RESEND_OF] = old.id
    if not how.again:
        headers[EFFECT] = old.effect
    return headers


def _encoded(payload: Any) -> bytes:
    return payload if type(payload) is bytes else codec.encode(payload)


def _plain(payload: Any) -> Any:
    """A body as JSON values; None where it cannot be read."""
    try:
        return msgspec.json.decode(payload) if type(payload) is bytes else codec.to_plain(payload)
    except (msgspec.DecodeError, DecodeError, UnicodeDecodeError, TypeError, NotImplementedError):
        return None
