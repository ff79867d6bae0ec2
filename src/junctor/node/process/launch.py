"""A node as a process: from a flow to an exit code.

0 is a clean stop, also by Ctrl-C or SIGTERM; 78 wrong configuration or a store that cannot be used, which a supervisor
need not try again; 70 anything else that ended the node. A second Ctrl-C ends the process at once; nothing that was
accepted is lost by that.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Literal

import msgspec

from junctor.errors import ConfigurationError, ImportFailed, JunctorError, StoreError, StoreFull, StoreLocked
from junctor.flows import FlowModel, Wiring, wire_all
from junctor.flows.code.modules import note_imports
from junctor.node.address import chosen_address
from junctor.node.directory import data_directory
from junctor.node.node import GRACE, Node, Plan
from junctor.node.process.ending import INTERNAL, OK, PATIENCE, Ending
from junctor.node.process.first import stand_aside
from junctor.node.process.greeting import greeting
from junctor.node.process.notify import Notifier, taken
from junctor.node.web import has_doors
from junctor.observe.logfile import LogFile
from junctor.observe.logs import configure, join_hops, readable
from junctor.observe.prints import join_prints
from junctor.observe.secrets import mask
from junctor.runtime import debugger

log = logging.getLogger("junctor.node")

CONFIGURATION = 78
_OURS = str(Path(__file__).parents[1])


class Options(msgspec.Struct, kw_only=True):
    """How to run a flow. ``listen`` "when-needed" leaves the listener out until a service has a route or action,
    "when-asked" where no address is given here or by $PORT; ``reload`` lets the node follow what is saved in the files
    of the flow."""

    transport: str = "sqlite"
    store: str | Path | None = None
    host: str | None = None
    port: int | None = None
    log_level: str = "info"
    listen: Literal["always", "when-needed", "when-asked"] = "always"
    reload: bool = False


class _Unusable(Exception):
    """The store cannot be opened, and trying again will not help."""

    def __init__(self, error: StoreError) -> None:
        super().__init__()
        self.error = error


def launch(load: Callable[[], Sequence[FlowModel]], options: Options) -> int:
    """Make the flows, run them on one node until it is stopped, and answer the exit code.

    Errors are told on standard error.
    """
    stand_aside()
    ending = Ending()
    code = _launched(load, options, ending, taken())
    ending.see_to_exit(code)
    return code


def _launched(load: Callable[[], Sequence[FlowModel]], options: Options, ending: Ending, manager: Notifier) -> int:
    undo: list[Callable[[], None]] = []
    try:
        kept = LogFile()
        undo += [configure(options.log_level), kept.join(), join_hops(), join_prints()]
        plan = _plan(_wired(load), options)
        with ending, asyncio.Runner(loop_factory=_loop_factory()) as runner:
            return runner.run(_main(plan, ending, manager, kept, load if options.reload else None))
    except _Unusable as unusable:
        _tell(unusable.error, manager)
        return CONFIGURATION
    except JunctorError as error:
        _tell(error, manager)
        return CONFIGURATION if isinstance(error, ConfigurationError) else INTERNAL
    except Exception:
        log.critical("the node ended by an error of its own", exc_info=True)
        return INTERNAL
    finally:
        for step in reversed(undo):
            step()


def _wired(load: Callable[[], Sequence[FlowModel]]) -> list[Wiring]:
    models = load()
    note_imports()  # what changes from now on is known as changed when the flows are loaded again
    return wire_all(models)


def _plan(flows: Sequence[Wiring], options: Options) -> Plan:
    services = [service.spec for flow in flows for service in flow.plan.services]
    asked = options.host is not None or options.port is not None or "PORT" in os.environ
    address = chosen_address(options.host, options.port)
    needed = options.listen == "when-needed"
    now = options.listen == "always" or asked or (needed and any(map(has_doors, services)))
    directory = data_directory(flows[0].plan.name, options.store)
    return Plan(
        flows=flows,
        transport=options.transport,
        directory=directory,
        http=address if now else None,
        http_when_needed=address if now or needed else None,
    )


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # no wheel for this platform
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


async def _main(
    plan: Plan, ending: Ending, manager: Notifier, kept: LogFile, again: Callable[[], Sequence[FlowModel]] | None
) -> int:
    node = Node(plan)
    ending.watch(node)
    try:
        with manager.following(node.engine.hosts, debugger.attached) as pulse:
            node.while_changing = pulse.reloading
            with _greeted_instead():
                await _start(node, plan.flows, kept)
            pulse.ready()
            _say("stop with Ctrl-C")
            if again is not None:
                from junctor.node.process.reload import Reload  # only for those who develop

                node.engine.supervisor.start("reload", Reload(node, again, _say).watch())
            await node.asked_to_stop()
            log.info("stopping: %s; what runs has %g s to finish", node.stop_reason, GRACE)
            pulse.stopping(node.stop_reason, GRACE + PATIENCE)
            await node.stop()
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if not node.stop_reason or task is None:
            raise
        task.uncancel()  # asked to stop while a service was still starting
    if node.failure is not None:
        raise node.failure
    ending.stopped = True
    _say("stopped")
    return OK


async def _start(node: Node, flows: Sequence[Wiring], kept: LogFile) -> None:
    opened = False

    def greet() -> None:
        nonlocal opened
        opened = True
        if node.directory is not None:  # from here on it is locked: no other node writes there
            kept.open(node.directory)
            kept.tell("junctor.node", started(node, flows))
        _say(*greeting(node, flows))

    try:
        await node.start(greet)
    except StoreError as error:
        # Another node may end, and a disk have room again; any other store stays as it is.
        if opened or isinstance(error, StoreLocked | StoreFull):
            raise
        raise _Unusable(error) from error


def started(node: Node, flows: Sequence[Wiring]) -> str:
    """The line with which each start begins in the log; a terminal has the greeting instead."""
    places = ", ".join([*(["in memory"] if not node.durable else []), *node.urls])
    return f"starting: {', '.join(wiring.plan.name for wiring in flows)}; pid {os.getpid()}; {places or 'no listener'}"


@contextmanager
def _greeted_instead() -> Iterator[None]:
    """Keep the listener from logging its address, which the greeting tells; its warnings are logged."""
    listener = logging.getLogger("junctor.http")
    listener.addFilter(_warnings)
    try:
        yield
    finally:
        listener.removeFilter(_warnings)


def _warnings(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING


def _say(*lines: str) -> None:
    with contextlib.suppress(OSError):  # a reader who has gone must not end the node
        sys.stdout.writelines(f"{line}\n" for line in lines)
        sys.stdout.flush()


def _tell(error: JunctorError, manager: Notifier) -> None:
    text = readable(mask(str(error)))
    sys.stderr.write(f"junctor: {text}\n")
    manager.status(text)
    cause = error.__cause__
    if isinstance(error, ImportFailed) and cause is not None and "traceback" in error.fix:
        sys.stderr.write("".join(traceback.format_exception(cause.with_traceback(_users_part(cause.__traceback__)))))


def _users_part(trace: TracebackType | None) -> TracebackType | None:
    """The traceback without the frames of the loading in front of the user's."""
    while trace is not None and ("importlib" in (file := trace.tb_frame.f_code.co_filename) or file.startswith(_OURS)):
        trace = trace.tb_next
    return trace
