"""A flow that runs in a test: time to move, messages to send, and what came of them."""

from __future__ import annotations

import functools
import shutil
import tempfile
import types
import typing
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from junctor.clock import SECOND, VirtualClock, parse_duration
from junctor.core.port import Receipt
from junctor.errors import ConfigurationError, nearest
from junctor.messages import HANDLER, Message, Status
from junctor.node.node import Node, Plan
from junctor.runtime.supervisor import Supervisor
from junctor.testing._errors import told_short
from junctor.testing._faults import Fault, Faults, When, checked_place
from junctor.testing._idle import Idle, NotAtRest
from junctor.testing._ledger import Ledger, WatchedMemory, WatchedSqlite
from junctor.testing._port import Captures, Life, Watched
from junctor.testing._stage import Stage, model_of, stage
from junctor.testing._verdict import ExpectParked, Parked, Verdict

if TYPE_CHECKING:
    from junctor.core.records import AlertRecord
    from junctor.core.spec import TargetSpec
    from junctor.http.app import Site
    from junctor.node.views.trace import Trace
    from junctor.runtime.host import Host
    from junctor.testing._http import HttpClient
    from junctor.testing._stage import Testable

__tracebackhide__ = True  # of pytest: a failure is shown where the test is

STARTS_WITHIN = 3600.0
"""Seconds of virtual time that the start of a flow may take: what its ``on_start`` sleep."""

NOTHING: Any = object()

_MORE_TIME = 'Say how much time may pass: within="1m"; plant.parked tells what failed.'


class Options(msgspec.Struct, kw_only=True, frozen=True):
    """See :func:`junctor.testing.running`."""

    store: Path | None = None
    start: datetime | None = None
    set: Mapping[str, Any] = {}
    replace: Mapping[str, Any] = {}
    without: Sequence[str] = ()
    capture: Sequence[str] = ()
    fail: Mapping[str, BaseException] = {}
    http: bool = False
    background: Sequence[str] = ()
    patience: float = 5.0


class Log(msgspec.Struct, frozen=True):
    """A line that was logged while a handler, tick, route or action ran."""

    service: str
    level: int
    text: str


class RunningFlow:
    """A flow under test. Made by :func:`junctor.testing.running`.

    Time stands still unless :meth:`advance` moves it. What can run without time runs to its end before a method
    returns.
    """

    def __init__(self, flow: Testable, options: Options) -> None:
        self._options = options
        self._ledger = Ledger()
        self._faults = Faults()
        self._captures = Captures()
        model = model_of(flow, options.set, options.replace, options.without, options.capture)
        self._stage: Stage = stage(model, options.without, self._faults, self._captures)
        self._captures.address = self._stage.captured
        self._clock = VirtualClock(options.start)
        self._tasks = Supervisor()
        self.name = model.name
        for target in options.capture:
            self.capture(target)
        for place, error in options.fail.items():
            self.fail(place, error)
        self._make()
        self._verdict = Verdict(self._ledger, self._faults, lambda: self.node.engine, self._read)

    def _make(self) -> None:
        store, ledger = self._options.store, self._ledger
        transport = WatchedMemory(ledger) if store is None else WatchedSqlite(store, ledger)
        self._transport = transport
        address = None
        if self._options.http:
            from junctor.node.address import Address

            address = Address(port=0)
        wiring = [self._stage.wiring]
        self.node = Node(Plan(flows=wiring, transport=transport, http=address, clock=self._clock, alerts=False))
        self._idle = Idle(self.node.engine, ledger, self._options.patience, frozenset(self._options.background))

    # Life ---------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Start the services; ``on_start`` may take virtual time."""
        from junctor.observe.logs import join_hops

        self._undo = join_hops()
        try:
            await self.driven(self.node.start(), STARTS_WITHIN)
            await self.idle()
        except BaseException:
            await self.stop(check=False)
            raise

    async def stop(self, check: bool = True) -> None:
        """Stop; then tell what failed without being expected.

        :raises AssertionError: something did.
        """
        try:
            if check:
                await self.idle()
                self._verdict.check()
                if self.node.failure is not None:
                    raise self.node.failure
        finally:
            try:
                await self.node.stop(grace=1.0)
                await self._tasks.aclose()
            finally:
                self._undo()

    async def restart(self) -> None:
        """Kill the node and start it again, as ``kill -9`` and a new process do: code that runs is left where it is,
        what was not committed is gone, and what was being handled is delivered again. The time stays.

        :raises ConfigurationError: messages are in memory, where nothing outlives a kill.
        """
        transport = self._transport
        if not isinstance(transport, WatchedSqlite):
            fix = "Keep them on disk: running(flow, store=tmp_path)."
            raise ConfigurationError("messages in memory do not outlive a kill", where="restart()", fix=fix)
        await self._ledger.written()
        transport.abandon()
        self._captures.life.dead = True
        self._captures.life = Life()
        with tempfile.TemporaryDirectory(prefix="junctor-") as folder:
            left = Path(folder) / "left"
            # Without the index of the WAL: a process that starts after a crash rebuilds it.
            shutil.copytree(transport.directory, left, ignore=shutil.ignore_patterns("*-shm", "reserve"))
            with self._faults.dying():
                await self.node.stop(grace=0.0)
            shutil.rmtree(transport.directory)
            shutil.move(left, transport.directory)
        self._clock = VirtualClock(self.now)
        self._make()
        await self.driven(self.node.start(), STARTS_WITHIN)
        await self.idle()

    # Time ---------------------------------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        """What the clock of the flow shows (UTC)."""
        return self._clock.now

    async def advance(self, duration: float | str) -> None:
        """Let time pass: seconds, or a text like ``"1h30m"``.

        Schedules, delays, retries, time-outs, probes, restarts and ``self.sleep()`` come due in their order; between
        two of them everything runs that can.

        :raises AssertionError: code does not come to rest in real time; the text names it and its line.
        """
        await self._clock.advance(parse_duration(duration), self.idle)

    async def advance_to(self, instant: datetime) -> None:
        """Let time pass up to an instant with a time zone.

        :raises ValueError: it is past.
        """
        seconds = (instant - self.now).total_seconds()
        if seconds < 0:
            raise ValueError(f"it is {self.now} already, {instant} is past")
        await self.advance(seconds)

    async def idle(self) -> None:
        """Let everything run that can without time passing."""
        await self._idle.reached()

    async def driven(self, work: Coroutine[Any, Any, Any], within: float | str) -> Any:
        """The result of some work; time passes as far as it is allowed to, and only while the work needs it.

        :raises NotAtRest: it needs more.
        """
        end = self._clock.time_ns() + int(parse_duration(within) * SECOND)
        task = self._tasks.start("the test", work, lambda error: None)
        try:
            while True:
                await self._idle.reached(task)
                if task.done():
                    return task.result()
                if not self._clock.step(end):
                    raise NotAtRest(self._standstill(), fix=_MORE_TIME)
        finally:
            task.cancel()

    def _standstill(self) -> str:
        due = self._clock.next_due
        when = f"the next thing comes due in {(due - self._clock.time_ns()) / SECOND:g} s" if due else "nothing is due"
        return f"no answer comes while time stands still at {self.now:%Y-%m-%d %H:%M:%S}, {when}"

    # Messages -----------------------------------------------------------------------------------------------

    @told_short
    async def send(
        self,
        service: str,
        body: Any,
        *,
        key: str | None = None,
        delay: float | str | None = None,
        headers: Mapping[str, str] | None = None,
        within: float | str = 0,
    ) -> Receipt:
        """Send a message to a service and let it be handled.

        :param within: how much time may pass until it is accepted, for a full queue.
        """
        target = self.node.target(self._checked(service), self._type_for(service, body))
        receipt: Receipt = await self.driven(_awaited(target.send(body, key=key, delay=delay, headers=headers)), within)
        await self.idle()
        return receipt

    @told_short
    async def resend(
        self,
        message: Message | Receipt | Parked,
        *,
        to: str | None = None,
        again: bool = False,
        changes: Mapping[str, Any] | None = None,
    ) -> Receipt:
        """Send a message again, as ``junctor resend`` does, and let it be handled; the receipt of the new one.

        :param to: another service. ``changes``: other values by path, ``{"lines.0.count": 3}``.
        :param again: also one that was handled; its effect counts anew.
        :raises JunctorError: it cannot be sent as it is.
        """
        from junctor.testing._resend import resent

        found = message.message if isinstance(message, Parked) else message
        target = self._checked(to) if to is not None else None
        receipt: Receipt = await self.driven(resent(self.node, found.id, target, again, changes), 0)
        await self.idle()
        return receipt

    @told_short
    async def request(
        self,
        service: str,
        body: Any,
        *,
        key: str | None = None,
        timeout: float | str | None = None,
        headers: Mapping[str, str] | None = None,
        within: float | str = 0,
    ) -> Any:
        """Send a request and answer its reply.

        :param within: how much time may pass until the reply, when its handler needs some.
        :raises RequestError: the handler failed for good, or the request expired.
        :raises AssertionError: no reply comes without more time.
        """
        target = self.node.target(self._checked(service), self._type_for(service, body), Any)
        asked = target.request(body, key=key, timeout=timeout, headers=headers)
        reply = await self.driven(_awaited(asked), within)
        await self.idle()
        return reply

    @told_short
    async def call(self, service: str, action: str, /, *, within: float | str = 0, **arguments: Any) -> Any:
        """Call an action and answer what it returns.

        :param within: how much time may pass until it returns.
        """
        result = await self.driven(self.node.call(self._checked(service), action, **arguments), within)
        await self.idle()
        return result

    @functools.cached_property
    def http(self) -> HttpClient:
        """The routes and actions of the flow: ``await plant.http.get("/alarms/cpu")``."""
        from junctor.testing._http import HttpClient

        return HttpClient(self)

    def site(self) -> Site:
        """What a listener of the flow would answer."""
        from junctor.node.address import Address
        from junctor.node.web import Web

        return Web(self.node.engine, [self._stage.wiring], Address(port=0), self.node.name).site_of(self.name)

    @property
    def url(self) -> str:
        """The address of the real listener: ``running(flow, http=True)``."""
        return self.node.url

    @property
    def messages(self) -> list[Message]:
        """Every message that was accepted, in order."""
        return list(self._ledger.messages)

    def sent(self, target: str) -> list[Any]:
        """The bodies that went over a target, ``"monitor.readings"``, captured ones too. What a handler sent counts
        when its delivery is done. All that a service sent: ``"monitor"``.

        :raises ConfigurationError: there is no such target.
        """
        service, dot, name = target.partition(".")
        if not dot:
            address = self._host(service).address
            return [self._read(message) for message in self._ledger.messages if message.source == address]
        spec = self._target(target)
        address = self._host(service).address
        links = self._host(service).links.get(spec.name, ())
        # Two targets of one service to the same place with the same type cannot be told apart afterwards.
        ways = {link.address for link in links}
        return [
            self._read(message)
            for message in self._ledger.messages
            if message.source == address
            and (
                message.headers.get(HANDLER) == target
                if message.target == self._captures.address
                else message.target in ways and self._is_of(spec, message)
            )
        ]

    def received(self, service: str) -> list[Any]:
        """The bodies of all messages that were accepted for a service, handled yet or not."""
        address = self._host(service).address
        return [self._read(message) for message in self._ledger.messages if message.target == address]

    def _is_of(self, target: TargetSpec, message: Message) -> bool:
        if target.request is Any:
            return True
        return self.node.engine.types_of(message.target).register(target.request).name == message.type

    def _read(self, message: Message) -> Any:
        payload = message.payload
        if type(payload) is not bytes:
            return payload
        kind = self._stage.wiring.plan.types.named(message.type)
        try:
            return msgspec.json.decode(payload) if kind is None else kind.read(payload, message.version, "message")
        except Exception:  # noqa: BLE001 - a test that looks at a message which cannot be read wants to see it
            return payload

    def state(self, service: str, key: str | None = None) -> dict[str, Any]:
        """The committed state of a service, under a key where it has one."""
        entries = self.node.engine.transport.state(self._host(service).address, key or "")
        return {name: msgspec.json.decode(value) for name, (value, _) in entries.items()}

    @property
    def logs(self) -> list[Log]:
        """What was logged inside handlers, ticks, routes and actions, in order."""
        return [Log(log.service.rpartition("/")[2], log.line.level, log.line.text) for log in self._ledger.logs]

    @property
    def alerts(self) -> list[AlertRecord]:
        """The alerts that were raised, in order."""
        return list(self._ledger.alerts)

    def trace(self, message: Message | Receipt | Parked) -> Trace:
        """The whole session of a message, as ``junctor trace --session`` shows it."""
        from junctor.node.views import answers
        from junctor.node.views.moment import moment_of

        found = message.message if isinstance(message, Parked) else message
        return answers.trace(self.node.archive, found.id, True, moment_of(self.node.engine))

    # What leads out, and what fails -------------------------------------------------------------------------

    def capture(self, target: str, reply: Any = NOTHING) -> None:
        """From now on keep what goes over a target, ``"alarm.mails"``, instead of delivering it; see :meth:`sent`.

        :param reply: what its requests are answered: a value, an exception to raise, or a function of the body.
        :raises ConfigurationError: there is no such target.
        """
        self._target(target)
        self._captures.add(target, reply is not NOTHING, None if reply is NOTHING else reply)

    def fail(
        self, place: str, error: BaseException | type[BaseException], times: int | None = 1, when: When | None = None
    ) -> None:
        """Let an entry of a service raise an error before its code runs: ``"alarm"`` for all its handlers, or
        ``"alarm.on_reading"``, ``"monitor.poll"``, ``"alarm.on_start"``.

        :param times: how often, None for always.
        :param when: only when this is true of the arguments: ``lambda reading: reading.value > 80``.
        :raises ConfigurationError: there is no such entry.
        """
        made = error() if isinstance(error, type) else error
        self._faults.add(Fault(checked_place(place, self._stage.specs), made, times, when))

    @property
    def parked(self) -> list[Parked]:
        """The messages that were parked, in order."""
        return self._verdict.parked()

    def expect_parked(
        self, error: type[BaseException] | str | None = None, *, match: str | None = None, times: int | None = None
    ) -> ExpectParked:
        """``with plant.expect_parked(ValueError): ...``: inside the block messages are parked with this error.

        :param error: the class, a base of it, or its name; None for any.
        :param match: a regular expression that is found in ``Type: text``.
        :param times: exactly so many; at least one by default.
        """
        return ExpectParked(self._verdict, error, match, times)

    def expect_failed(self, service: str) -> None:
        """A service may be down at the end of the test, failed for good or waiting to be started again, its ticks may
        fail, and messages that it failed at may still wait to be tried again."""
        self._verdict.excuse(self._checked(service))

    # Names --------------------------------------------------------------------------------------------------

    def _checked(self, service: str) -> str:
        specs = self._stage.specs
        if service in self._stage.left_out:
            raise ConfigurationError(f"the service {service} is left out of this test", where="without")
        if service not in specs and "/" not in service:
            raise ConfigurationError(
                f'there is no service "{service}"', where=f"flow {self.name}", fix=nearest(service, specs).strip()
            )
        return service

    def _type_for(self, service: str, body: Any) -> Any:
        """The type under which a handler takes the body: its class, else one that it fits, like a list or a union."""
        accepted = [handler.accepts for handler in self._host(service).spec.handlers]
        if type(body) in accepted:
            return type(body)
        fitting = (kind for kind in accepted if _takes(kind, body))
        return next(fitting, Any if Any in accepted else type(body))

    def _host(self, service: str) -> Host:
        from junctor.node.control.entries import host_of

        return host_of(self.node.engine, self._checked(service))

    def _target(self, target: str) -> TargetSpec:
        service, _, name = target.partition(".")
        known = {each.name: each for each in self._stage.specs[self._checked(service)].targets}
        if name not in known:
            names = [f"{service}.{each}" for each in known]
            fix = nearest(target, names).strip() or f"{service} has no targets."
            raise ConfigurationError(f'there is no target "{target}"', where=f"flow {self.name}", fix=fix)
        return known[name]

    def __repr__(self) -> str:
        return f"<RunningFlow {self.name} {self.now:%Y-%m-%d %H:%M:%S}>"


def _takes(kind: Any, body: Any) -> bool:
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        return any(_takes(member, body) for member in typing.get_args(kind))
    return kind is not Any and isinstance(origin or kind, type) and isinstance(body, origin or kind)


async def _awaited(pending: Any) -> Any:
    return await Watched(pending)


def options_of(given: Mapping[str, Any]) -> Options:
    """The options of :func:`junctor.testing.running` as values."""
    store = given.get("store")
    taken: dict[str, Any] = {**given, "store": None if store is None else Path(store)}
    for name in ("without", "capture", "background"):
        value: str | Iterable[str] = taken.get(name, ())
        taken[name] = (value,) if isinstance(value, str) else tuple(value)
    return Options(**taken)


__all__ = ("Log", "Options", "Parked", "RunningFlow", "Status", "options_of")
