"""From the names an outside caller gives to the entries of a running service: its handlers by type, its actions."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from junctor.core.lifecycle import DELIVERING, State
from junctor.core.port import Link, Port
from junctor.core.recording import records_hop
from junctor.core.signals import SYSTEM
from junctor.core.spec import ActionSpec, HandlerSpec, ScheduleSpec, service_name
from junctor.errors import (
    HIDES,
    DecodeError,
    JunctorError,
    NoHandler,
    SendError,
    UnknownOperation,
    UnknownTarget,
    named,
    nearest,
    text_of,
)
from junctor.messages import RESERVED, Kind, MessageType, without_reserved
from junctor.messages.sensitive import sensitive_paths
from junctor.node.control.arguments import Parameters
from junctor.node.control.wire import CallFailed
from junctor.observe.hidden import Hidden
from junctor.runtime.calls import not_running
from junctor.runtime.scheduler import tick
from junctor.runtime.supervisor import is_cancelled

if TYPE_CHECKING:
    from junctor.runtime.engine import Engine
    from junctor.runtime.host import Host

log = logging.getLogger("junctor.node")

PATIENCE = 10.0
"""Seconds that a call waits for a service that starts."""

_LOOK = 0.02  # seconds between two looks


def host_of(engine: Engine, service: str) -> Host:
    """The running service of this name, of this flow/name, or of the name of another system that stands for it:
    ``Python.MyBO`` is ``python-mybo``.

    :raises UnknownTarget: none has it, or several flows have one; the fix names the nearest or lists them.
    """
    if service in engine.hosts:
        return engine.hosts[service]
    wanted = {service, service_name(service)}
    named = [host for host in engine.hosts.values() if host.service in wanted and host.flow != SYSTEM]
    if len(named) == 1:
        return named[0]
    if named:
        addresses = ", ".join(host.address for host in named)
        raise UnknownTarget(f'several flows have a service "{service}"', fix=f"Give one of {addresses}.")
    names = sorted({host.service for host in engine.hosts.values() if host.flow != SYSTEM})
    guess = nearest(service, names) or "No service runs."
    raise UnknownTarget(f'there is no service "{service}"', fix=f"{guess}`junctor status` lists them.")


def called_host(engine: Engine, service: str) -> Host:
    """The service of this name for a call: where one is just replaced, the one that takes its place. The call waits
    there until it runs.

    :raises UnknownTarget: as :func:`host_of`.
    """
    host = host_of(engine, service)
    return host.successor or host


def refuse_reserved(headers: Mapping[str, str] | None) -> None:
    """What the engine says of a message in its headers is not for outside callers to say.

    :raises SendError: a header has a reserved name.
    """
    for name in headers or {}:
        if not without_reserved({name: ""}):
            fix = f'Leave it out; names that begin with "{RESERVED}" are the engine\'s own.'
            raise SendError(f'the header "{name}" is reserved', fix=fix)


# Handlers ---------------------------------------------------------------------------------------------------


class HandlerEntry(msgspec.Struct):
    """A handler as an outside sender reaches it."""

    link: Link
    port: Port
    where: str

    def read(self, body: msgspec.Raw) -> Any:
        """The body as an object of the handler's type.

        :raises DecodeError: with the path of the first field that does not fit; it is told without sensitive values.
        """
        kind, payload = self.link.accepts, bytes(body)
        try:
            return kind.read(payload, kind.version, self.where)
        except DecodeError as error:
            setattr(error, HIDES, Hidden(payload, sensitive_paths(kind.cls)))
            raise


def handler_for(engine: Engine, host: Host, type: str | None) -> HandlerEntry:
    """The handler for messages of this type; of any type where the service has only one handler. A handler of Any takes
    every type that the flow knows.

    :raises NoHandler: there is none, or ``type`` is needed to choose; the fix lists the types.
    """
    types = engine.flows[host.flow].types
    handlers = [(types.register(spec.accepts), spec) for spec in host.spec.handlers]
    port, known = engine.client(host.flow), types.named(type or "")
    if known is not None and known.name not in {kind.name for kind, _ in handlers}:
        handlers = [(known, spec) for kind, spec in handlers if kind.cls is Any] or handlers
    kind, spec = _choose(host, handlers, type)
    shared = sum(other.name == kind.name for other, _ in handlers) > 1
    link = port.link_to(host.service, kind.cls, spec.replies, handler=spec.name if shared else None)
    return HandlerEntry(link, port, host.address)


def _choose(
    host: Host, handlers: list[tuple[MessageType, HandlerSpec]], type: str | None
) -> tuple[MessageType, HandlerSpec]:
    if not handlers:
        raise NoHandler("the service has no handler", where=host.address, fix="It takes no messages; see its actions.")
    fitting = [
        (kind, spec)
        for kind, spec in handlers
        if type in (kind.name, *kind.aliases) or (type is None and not spec.signal)
    ]
    if len(fitting) == 1:
        return fitting[0]
    by_name = [(kind, spec) for kind, spec in handlers if spec.name == type]
    if len(by_name) == 1:
        return by_name[0]
    kinds = [kind.name for kind, _ in handlers]
    names = [spec.name if kinds.count(kind.name) > 1 else kind.name for kind, spec in handlers]
    listed = ", ".join(names)
    if type is None:
        fix = f"Name one with --type: {listed}."
        what = "types" if len(set(kinds)) == len(kinds) else "kinds of messages"
        raise NoHandler(f"the service handles {len(names)} {what}", where=host.address, fix=fix)
    fix = f"{nearest(type, names)}`junctor services` shows what each service takes."
    raise NoHandler(f'the service has no handler for "{type}"', where=host.address, fix=fix)


# Actions ----------------------------------------------------------------------------------------------------


async def start_of(host: Host) -> None:
    """Return when the service has started, or has failed to: whoever calls a moment too early means the service that
    is about to run."""
    until = time.monotonic() + PATIENCE
    coming = (State.NEW, State.STARTING)
    while host.lifecycle.state in coming and time.monotonic() < until:  # noqa: ASYNC110 - a state has no event
        await asyncio.sleep(_LOOK)


class ActionEntry(msgspec.Struct):
    """An action as an outside caller reaches it."""

    spec: ActionSpec
    where: str

    async def call(self, host: Host, arguments: Mapping[str, Any], text: bool) -> Any:
        """Call it with these arguments and answer what it returns.

        :raises UnknownOperation: a parameter is unknown or missing.
        :raises WrongArgument: an argument does not fit the type of its parameter.
        :raises ServiceStopped: the service does not run.
        :raises CallFailed: the action raised.
        """
        parameters = Parameters(self.spec.signature)
        values = parameters.bind(arguments, self.where, text=text)
        await start_of(host)
        call = host.bound(self.spec)
        try:
            entered = await host.enter(Kind.ACTION, self.spec.name, call, self.spec.blocking, kwargs=values)
        except JunctorError:
            raise
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError) and is_cancelled():
                raise
            log.error("%s: %s", self.where, named(error), exc_info=error, extra={"service": host.address})
            # SystemExit too: an action that calls sys.exit() must not end the node.
            raise _call_failed(host, self.where, type(error).__name__, text_of(error)) from error
        return entered.value


class ScheduleEntry(msgspec.Struct):
    """A schedule whose tick an outside caller asks for: the same one delivery, at another time."""

    spec: ScheduleSpec
    where: str

    async def call(self, host: Host, arguments: Mapping[str, Any], text: bool) -> None:
        """Tick once; while a tick of this schedule runs, wait for its end first.

        :raises UnknownOperation: there are arguments.
        :raises ServiceStopped: the service does not run, or is paused.
        :raises CallFailed: the tick failed; it is recorded as any other.
        """
        if arguments:
            raise UnknownOperation("a schedule takes no arguments", where=self.where, fix="Leave them out.")
        await start_of(host)
        if host.coming is not None:
            await host.coming.wait()
        if host.lifecycle.state not in DELIVERING:
            raise not_running(host)
        failure = await tick(host, self.spec)
        if failure is not None:
            raise _call_failed(host, self.where, failure.type, failure.text)


def _call_failed(host: Host, where: str, name: str, text: str) -> CallFailed:
    what = f"{name}: {text}" if text and text != name else name
    recorded = records_hop(host.spec.policies.trace, failed=True)
    fix = "`junctor messages --status failed` leads to its trace." if recorded else "`junctor logs` shows the error."
    return CallFailed(what, where=where, fix=fix, error_type=name)


def action_of(host: Host, name: str) -> ActionEntry | ScheduleEntry:
    """The action of this name, or the schedule.

    :raises UnknownOperation: the service has none; the fix names the nearest or lists them.
    """
    # Whoever types a hyphen for an underscore, or the other way round, means the same one.
    wanted = name.replace("_", "-")
    for action in host.spec.actions:
        if action.name.replace("_", "-") == wanted:
            return ActionEntry(action, f"{host.address}.{action.name}")
    for schedule in host.spec.schedules:
        if schedule.name.replace("_", "-") == wanted:
            return ScheduleEntry(schedule, f"{host.address}.{schedule.name}")
    known = [*(spec.name for spec in host.spec.actions), *(spec.name for spec in host.spec.schedules)]
    guess = nearest(name, known) or "The service has no actions. "
    fix = f"{guess}`junctor services` shows what each service offers."
    if (handler := next((one for one in host.spec.handlers if one.name == name), None)) is not None:
        command = "send" if handler.replies is None else "request"
        fix = f"It is a handler of messages: junctor {command} {host.address} BODY --type {name}"
    raise UnknownOperation(f'there is no action "{name}"', where=host.address, fix=fix)
