"""Routes and actions: calls that run beside the queue while their caller waits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import msgspec

from junctor.core.hop import Hop, asked_hop, asking, current
from junctor.core.lifecycle import DELIVERING, State
from junctor.core.outcome import Failure, Outcome, Settlement
from junctor.core.spec import ActionSpec, RouteSpec, SocketSpec
from junctor.errors import QueueFull, ServiceStopped
from junctor.messages import Kind
from junctor.messages.sensitive import sensitive_parameters
from junctor.observe.hidden import hide_arguments, note_hidden
from junctor.runtime.failures import failure_of
from junctor.runtime.supervisor import in_task
from junctor.transports.base import Commit

if TYPE_CHECKING:
    from junctor.runtime.host import Host, Part

# A lookup through the class of an enum costs several times that of a global.
ACTION = Kind.ACTION

PARTS: dict[type, Part] = {RouteSpec: "routes", ActionSpec: "actions", SocketSpec: "sockets"}
"""Where the entries of calls stand in a service's spec."""


LATER = object()
"""What a call answers that cannot be made on the loop after all; what it did before is done."""

_COMING = frozenset({State.NEW, State.STARTING})


def not_running(host: Host) -> ServiceStopped:
    """The error of a call to a service that takes none now."""
    state = host.lifecycle.state
    fix = "Try again in a moment; `junctor status` shows how it starts." if state in _COMING else None
    return ServiceStopped(f"the service is {state.value}", where=host.address, fix=fix)


class Entered(msgspec.Struct, frozen=True):
    """What a route or action gave back, and the session it began."""

    value: Any
    session: int


class Calls:
    """The calls of one service. ``running`` counts those that run now, ``lasting`` those that may run for days: they
    have as many places as the others, and take none from them."""

    def __init__(self, host: Host) -> None:
        self.running = 0
        self.lasting = 0
        self._host = host
        spec = host.spec
        entries: tuple[Any, ...] = (*spec.routes, *spec.actions, *spec.sockets)
        self._sensitive = {entry.name: found for entry in entries if (found := sensitive_parameters(entry.signature))}

    def bound(self, entry: Any) -> Callable[..., Any]:
        """The callable of a route or action on the first instance."""
        host = self._host
        if not host.slots or (host.slots[0].instance is None and not host.remote):
            raise not_running(host)
        call: Callable[..., Any] = host.callable_of(PARTS[type(entry)], entry)
        return call

    async def enter(
        self,
        kind: Kind,
        name: str,
        call: Callable[..., Any],
        blocking: bool,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
        *,
        session: int = 0,
        lasting: bool = False,
    ) -> Entered:
        """Run a route or action beside the queue.

        :param lasting: it runs as long as its caller listens, so it is counted apart.
        :raises ServiceStopped: the service does not run.
        :raises QueueFull: as many calls as its policy allows run already.
        """
        host = self._host
        if (not blocking or host.remote) and asyncio.current_task() is None:
            await in_task()
        if host.lifecycle.state is not State.RUNNING:
            if host.coming is not None:
                await host.coming.wait()
            self._check_state()
        hop = self._begun(kind, name, kwargs, session, lasting)
        self.running += not lasting
        self.lasting += lasting
        try:
            value = await host.run_call(call, blocking, hop, args, kwargs, shares=not lasting)
        except BaseException as error:
            self._failed(hop, error)
            raise
        finally:
            self.running -= not lasting
            self.lasting -= lasting
        self._done(hop)
        return Entered(value, hop.session)

    def enter_now(
        self, kind: Kind, name: str, call: Callable[..., Any], kwargs: dict[str, Any], session: int
    ) -> Entered | None:
        """Run a route on the loop, without anything in between.

        :param call: a function that does not wait; it may answer :data:`LATER`.
        :return: None where it is to be entered in the other way: the service does not run, or the call is for later.
        :raises QueueFull: as many calls as its policy allows run already.
        """
        if self._host.lifecycle.state is not State.RUNNING:
            return None
        hop = self._begun(kind, name, kwargs, session, False)
        token = current.set(hop)
        try:
            value = call(**kwargs)
        except BaseException as error:
            self._failed(hop, error)
            raise
        finally:
            current.reset(token)
        if value is LATER:
            hop.open = False
            self._host.counters.calls -= 1
            return None
        self._done(hop)
        return Entered(value, hop.session)

    def _begun(self, kind: Kind, name: str, kwargs: dict[str, Any] | None, session: int, lasting: bool) -> Hop:
        host = self._host
        limit = host.spec.policies.pool.calls
        if (self.lasting if lasting else self.running) >= limit:
            host.counters.refused += 1
            what = "streams" if lasting else "calls"
            fix = "Call again, or raise `calls`."
            raise QueueFull(f"{limit} {what} run already", where=host.address, fix=fix)
        hop = host.engine.new_hop(kind, host.address, name, session)
        if (known := asking.get()) is not None:
            hop = asked_hop(hop, known)
        if self._sensitive:
            self._hide_arguments(hop, name, kwargs)
        host.counters.calls += 1
        return hop

    def _failed(self, hop: Hop, error: BaseException) -> None:
        # An error below 500 is an answer to a caller who asked wrongly: the service did what it should.
        host = self._host
        refused = status_of(error) < 500
        note_hidden(error, hop)
        host.counters.refused += refused
        host.dispatcher.settle_hop(hop, self.hop_outcome(hop, None if refused else error), host)

    def _done(self, hop: Hop) -> None:
        host = self._host
        if hop.drafts or hop.writes or hop.logs or hop.recorded or hop.kind is ACTION:
            host.dispatcher.settle_hop(hop, self.hop_outcome(hop, None), host)
        else:  # it only answered: there is nothing to record
            hop.open = False
            host.counters.busy += host.engine.clock.time_ns() - hop.started

    async def stay(
        self,
        name: str,
        call: Callable[..., Any],
        kwargs: dict[str, Any],
        accepted: Callable[[], Awaitable[object]],
        *,
        session: int = 0,
    ) -> None:
        """Run a WebSocket for as long as its client stays. It is no call: the limit of calls is not for it, and a stop
        of the service does not wait for it.

        :param accepted: awaited before the code of the service; what it raises is no failure of the service.
        :raises ServiceStopped: the service does not run.
        """
        if self._host.coming is not None:
            await self._host.coming.wait()
        self._check_state()
        await accepted()
        host = self._host
        hop = host.engine.new_hop(Kind.ROUTE, host.address, name, session)
        if (known := asking.get()) is not None:
            hop = asked_hop(hop, known)
        self._hide_arguments(hop, name, kwargs)
        host.counters.calls += 1
        # Recorded at once: it may last for days, and what it sends refers to it.
        if record := host.dispatcher.first_record(hop):
            host.transport.commit(Commit(lambda commit, error: None, inserts=record, durability="written"))
        error: BaseException | None = None
        try:
            await host.run_call(call, False, hop, (), kwargs)
        except BaseException as raised:
            note_hidden(raised, hop)
            ended = isinstance(raised, asyncio.CancelledError) or status_of(raised) < 500
            error = None if ended else raised
            raise
        finally:
            busy = host.counters.busy
            outcome = self.hop_outcome(hop, error)
            host.counters.busy = busy  # it waited for its client, for the most part
            host.dispatcher.settle_hop(hop, outcome, host)

    def _hide_arguments(self, hop: Hop, name: str, arguments: dict[str, Any] | None) -> None:
        if self._sensitive and arguments:
            hide_arguments(hop, arguments, self._sensitive.get(name, {}))

    def _check_state(self) -> None:
        # A paused service takes no messages; who calls it still gets an answer.
        state = self._host.lifecycle.state
        if state not in DELIVERING and state is not State.PAUSED:
            raise not_running(self._host)

    def hop_outcome(self, hop: Hop, error: BaseException | None) -> Outcome:
        now = self._host.engine.clock.time_ns()
        if error is not None:
            note_hidden(error, hop)
        failure: Failure | None = failure_of(error) if error is not None else None
        self._host.counters.busy += now - hop.started
        if failure is not None:
            self._host.counters.failed += 1
            self._host.note_error(failure)
        return Outcome(
            Settlement.PARK if failure else Settlement.DONE,
            drafts=() if failure else hop.drafts or (),
            writes=() if failure or not hop.writes else list(hop.writes.values()),
            logs=hop.logs or (),
            failure=failure,
            started=hop.started,
            duration=now - hop.started,
        )


def status_of(error: BaseException) -> int:
    """The HTTP status that an exception carries, ours or that of a web framework; 500 for any other."""
    status = getattr(error, "status", getattr(error, "status_code", 500))
    return status if isinstance(status, int) else 500
