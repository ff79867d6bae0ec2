"""What an operator does with a run: signal it, ask it something, cancel it, let it go on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from junctor.core.port import Receipt
from junctor.core.run import CANCEL, Run, RunStatus, RunWrite
from junctor.core.signals import counted
from junctor.core.spec import HandlerSpec
from junctor.errors import JunctorError, NoHandler, UnknownTarget, nearest
from junctor.flows.check.places import owner_of
from junctor.messages import Message, Status
from junctor.node.branching import CannotBranch, beginning_of, branch
from junctor.node.control.entries import action_of
from junctor.node.terminating import terminate
from junctor.node.views.runs import Retried, RunView, find_run, parked_for, run_view
from junctor.node.views.search import address_of
from junctor.runtime.resendable import Resending
from junctor.services.markers import Signals, marks_of

if TYPE_CHECKING:
    from junctor.node.node import Node
    from junctor.runtime.host import Host

log = logging.getLogger("junctor.node")

_LOOK, _LOOKS = 0.005, 16  # seconds until a first look, doubled up to a quarter second: three seconds in all


class RunEnded(JunctorError):
    """The run has ended, or is not suspended: nothing of this kind can be done with it."""

    code = "run-ended"
    default_fix = "`junctor workflows show RUN` tells how it ended."
    status = 409


class UnknownSignal(JunctorError):
    """The service has no signal or query of this name."""

    code = "unknown-signal"
    default_fix = "`junctor services` shows what each service takes."
    status = 404


async def run_named(node: Node, which: str, service: str | None = None) -> Run:
    """The run of a number, id or key.

    :raises UnknownRun: there is none, or several services have one.
    """
    hosted = list(node.engine.hosts)
    # Unmasked: a key that is a sensitive value finds its run all the same.
    return await node.read_unmasked(
        lambda archive: find_run(archive, which, address_of(service, archive, hosted) if service else None)
    )


def host_of_run(node: Node, run: Run) -> Host:
    """The service that a run belongs to.

    :raises UnknownTarget: it does not run in this node, or has no runs now.
    """
    host = node.engine.hosts.get(run.service)
    if host is None or not host.spec.runs:
        durable = [host.address for host in node.engine.hosts.values() if host.spec.runs]
        what = f"no workflow {run.service} runs here now, which run {run.seq} belongs to"
        fix = f"{nearest(run.service, durable)}Give the service its old name back in the flow, then `junctor apply`."
        raise UnknownTarget(what, fix=fix)
    return host.successor or host


# Signals and queries ----------------------------------------------------------------------------------------


async def signal(node: Node, which: str, name: str, body: bytes) -> Receipt:
    """Send a signal to a run.

    :raises RunEnded: it has ended.
    :raises UnknownSignal: there is no such signal.
    :raises DecodeError: the body does not fit; with the path of the first field that does not.
    """
    run = await run_named(node, which)
    host = host_of_run(node, run)
    if not run.is_open:
        raise RunEnded(f"run {run.seq} has ended: {run.status.name.lower()}", where=run.service)
    spec = _signal(node, host, name)
    kind = host.types.register(spec.accepts)
    return await _told(node, host, run, spec, kind.read(body, kind.version, f"{host.address}.{spec.name}"))


def _signal(node: Node, host: Host, name: str) -> HandlerSpec:
    known = _signals_of(node, host)
    wanted = name.replace("-", "_")
    found = known.get(name) or known.get(wanted)
    if found is None:
        fix = nearest(wanted, known).rstrip() or "It has no signals."
        raise UnknownSignal(f'there is no signal "{name}"', where=host.address, fix=fix)
    return found


def _signals_of(node: Node, host: Host) -> dict[str, HandlerSpec]:
    """The handlers for messages to a run that goes on, by name."""
    wiring = next(wiring for wiring in node.flows if wiring.plan.name == host.flow)
    item = wiring.model.item(host.service)
    names = signals_in(owner_of(item.source)) if item is not None else frozenset()
    return {spec.name: spec for spec in host.spec.handlers if spec.name in names}


def signals_in(owner: Any) -> frozenset[str]:
    """The names of the signals of a workflow class."""
    bases = owner.__mro__ if isinstance(owner, type) else ()
    return frozenset(
        name
        for base in bases
        for name, value in vars(base).items()
        if any(isinstance(mark, Signals) for mark in marks_of(value))
    )


def _id(node: Node, run: Run) -> str:
    # Where runs have keys, a bare number could be one of them.
    return f"{node.engine.dispatcher.node}-{run.seq}"


async def _told(node: Node, host: Host, run: Run, spec: HandlerSpec, body: Any) -> Receipt:
    port = node.engine.client(host.flow)
    link = port.link_to(host.service, spec.accepts, handler=spec.name)
    return cast(Receipt, await port.send(link, body, key=_id(node, run)))  # None only inside a delivery


async def query(node: Node, which: str, name: str, arguments: Mapping[str, Any], text: bool) -> Any:
    """What a query of a run answers.

    :raises UnknownSignal: there is no such query.
    :raises UnknownOperation: an argument is unknown or missing.
    """
    run = await run_named(node, which)
    host = host_of_run(node, run)
    known = [action.name for action in host.spec.actions]
    wanted = name if name in known else name.replace("-", "_")
    if wanted not in known:
        fix = nearest(wanted, known).rstrip() or "It has no queries."
        raise UnknownSignal(f'there is no query "{name}"', where=host.address, fix=fix)
    return await action_of(host, wanted).call(host, {**arguments, "run": _id(node, run)}, text)


# Ends and new beginnings ------------------------------------------------------------------------------------


async def cancel(node: Node, which: str, who: str, reason: str, now: bool = False) -> RunView:
    """Tell a run to end. Its code hears of it where it waits, and may undo what it did before.

    :param now: end it without its code, see :mod:`junctor.node.terminating`.
    :raises RunEnded: it has ended.
    """
    run = await run_named(node, which)
    if not run.is_open:
        raise RunEnded(f"run {run.seq} has ended: {run.status.name.lower()}", where=run.service)
    if now:
        await terminate(node, run, who, reason)
        return await _view(node, run.seq)
    host = host_of_run(node, run)
    spec = next((spec for spec in (*host.spec.inner, *host.spec.handlers) if spec.name == CANCEL), None)
    if spec is None:
        raise NoHandler("its runs cannot be cancelled", where=host.address)
    await _told(node, host, run, spec, None)
    await node.resends.decisions.note(run.seq, who, f"cancelled: {reason}" if reason else "cancelled")
    log.info("%s cancels run %s of %s", who or "somebody", run.seq, run.service)
    return await _view(node, run.seq)


async def retry(node: Node, which: str, who: str) -> Retried:
    """Let a suspended run go on: its parked messages are sent again, in their order. Without any it is opened again,
    for what comes next.

    :raises RunEnded: it is not suspended.
    """
    run = await run_named(node, which)
    host_of_run(node, run)
    if run.status is not RunStatus.SUSPENDED:
        what = "goes on" if run.is_open else f"has ended: {run.status.name.lower()}"
        fix = "`--from-step N` begins a new run with its history." if not run.is_open else "Nothing is to be done."
        if run.status is RunStatus.CONTINUING:
            fix = "The message that begins the next one may be parked: `junctor parked`, `junctor resend`."
        raise RunEnded(f"run {run.seq} is not suspended, it {what}", where=run.service, fix=fix)
    parked = await node.read_unmasked(lambda archive: parked_for(archive, run))
    meant = {record.message.seq: Status.PARKED for record in parked}
    verdicts = await node.resends.decisions.resend(meant, Resending(who=who)) if meant else {}
    resent = [one.id for one in verdicts.values() if isinstance(one, Message)]
    kept = [f"{seq}: {one}" for seq, one in verdicts.items() if isinstance(one, JunctorError)]
    if not meant:
        await _open_again(node, run)
    await node.resends.decisions.note(run.seq, who, f"retried, {counted(len(resent), 'message')} sent again")
    await _settled(node, [one.seq for one in verdicts.values() if isinstance(one, Message)])
    log.info("%s lets run %s of %s go on", who or "somebody", run.seq, run.service)
    return Retried(await _view(node, run.seq), resent=resent, kept=kept)


async def begin_from(node: Node, which: str, step: int, who: str) -> Retried:
    """Begin a new run that has done what an old one did before a step, and goes on from there.

    :raises RunEnded: the old one still goes on.
    :raises CannotBranch: its history cannot be cut there.
    """
    run = await run_named(node, which)
    host = host_of_run(node, run)
    if run.is_open:
        fix = "Cancel it first: junctor workflows cancel RUN."
        raise RunEnded(f"run {run.seq} has not ended: it is {run.status.name.lower()}", where=run.service, fix=fix)
    if host.spec.runs != "workflow":
        raise CannotBranch("a conversation has no history to begin with", where=run.service)
    turns, record = await node.read_unmasked(lambda archive: (archive.turns(run.seq), archive.record(run.seq)))
    if record is None:
        raise CannotBranch(f"the message that began run {run.seq} is gone", where=run.service)
    seq = await branch(node, host, run, record, beginning_of(run, turns, step), step, who)
    log.info("%s begins run %s with the history of run %s up to step %s", who or "somebody", seq, run.seq, step)
    return Retried(await _view(node, seq), of=run.seq)


async def _settled(node: Node, seqs: list[int]) -> None:
    """Return when these messages have come to their end, or take their time."""
    wait = _LOOK
    for _ in range(_LOOKS):
        records = await node.read(lambda archive: [archive.record(seq) for seq in seqs])
        if all(record is None or record.status >= Status.DONE for record in records):
            return
        await asyncio.sleep(wait)
        wait = min(2 * wait, 0.25)


async def _open_again(node: Node, run: Run) -> None:
    now = node.engine.clock.time_ns()
    write = RunWrite(run.seq, run.service, run.turns, RunStatus.OPEN, time=now, due=run.due)
    await node.engine.committed(runs=[write])


async def _view(node: Node, seq: int) -> RunView:
    def look(archive: Any) -> RunView:
        run = archive.run(seq)
        assert run is not None
        return run_view(archive, run)

    return await node.read(look)
