"""A production as a process: in the foreground, or beside the terminal that started it. One of a namespace at a time,
as in InterSystems IRIS."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from junctor.dialects.iop.director.place import Life, Namespace
from junctor.errors import JunctorError, StoreLocked
from junctor.node import directory as directories
from junctor.node.control.client import NodeClient
from junctor.node.control.operations.node import Health
from junctor.store.lock import StoreLock

START = 120.0
"""Seconds that a start beside the terminal may take."""

STOP = 120.0
"""Seconds that a stop waits, as the shutdown timeout of a production of IRIS."""

KILL = 10.0
"""Seconds that what runs has to its end when a production is killed."""

CONSOLE = "console.log"
"""What a production that was started beside the terminal said before its log was open, in its data directory."""

_ENDING = 10.0  # seconds: a node that has hung up is about to end
_LOOK = 0.05


class ProductionRuns(JunctorError):
    """A production of the namespace runs already."""

    code = "iop-production-runs"
    default_fix = "Stop it first: iop --stop. Or let it take over what was migrated: iop --update."
    status = 409


class StartFailed(JunctorError):
    """A production did not come up."""

    code = "iop-start-failed"
    default_fix = "Start it in the foreground to see more: iop --start NAME."


class ProductionStillRuns(JunctorError):
    """A production was asked to stop, and still runs."""

    code = "iop-production-still-runs"
    default_fix = "`junctor status` shows what still runs; `iop --kill` ends it, and nothing that was accepted is lost."


def run_here(place: Namespace, production: str, *, quiet: bool = False) -> int:
    """Run a production in this process until it is stopped; the exit code of the node.

    :param quiet: say only what prevents it.
    :raises ProductionRuns: one runs already.
    """
    from junctor.flows import load
    from junctor.node.process.launch import Options, launch

    directory = place.directory(production)
    # The node loads the production by its name, also when it is updated.
    os.environ |= {"IOP_HOME": str(place.home), "IOP_NAMESPACE": place.name}
    with _only_one(place, production):
        directories.prepare(directory)
        life = Life(production, place.name, os.getpid(), time.time())
        life.write(directory)
        try:
            options = Options(store=directory, listen="when-asked", log_level="critical" if quiet else "info")
            return launch(lambda: [load(f"iop:{production}")], options)
        finally:
            life.stopped = time.time()
            life.write(directory)


def start_beside(place: Namespace, production: str) -> None:
    """Start a production in a process of its own, which outlives this one; returns when it runs.

    :raises ProductionRuns: one runs already.
    :raises StartFailed: it did not come up; the text has its reason.
    """
    _refuse_second(place, production)
    directory = place.directory(production)
    directories.prepare(directory)
    with _private(directory / CONSOLE) as console:
        process = _Beside(
            [sys.executable, "-m", "junctor.dialects.iop.director.background", production],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=console,
            env={**os.environ, "IOP_HOME": str(place.home), "IOP_NAMESPACE": place.name},
            start_new_session=True,
        )
    _beside.append(process)
    _await_ready(process, directory)


class _Beside(subprocess.Popen[bytes]):
    def __del__(self) -> None:
        """Python warns of a process that still runs when its parent ends. This one is meant to."""


_beside: list[_Beside] = []
"""What this process started: until its end is taken note of, the system keeps its number."""


def take_note() -> None:
    """Let go of what this process started and has ended since."""
    _beside[:] = [process for process in _beside if process.poll() is None]


@contextlib.contextmanager
def _private(path: Path) -> Iterator[int]:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        yield file
    finally:
        os.close(file)


def _await_ready(process: _Beside, directory: Path) -> None:
    until = time.monotonic() + START
    while time.monotonic() < until:
        if process.poll() is not None:
            raise StartFailed(_reason(directory / CONSOLE, process.returncode), where=directory.name)
        if _state(directory) == "running":
            return
        time.sleep(_LOOK)
    what = f"it does not run after {START:g} s (process {process.pid})"
    raise StartFailed(what, where=directory.name, fix="`iop --log 20` shows what it does; `iop --kill` ends it.")


def _state(directory: Path) -> str:
    try:
        with contextlib.closing(NodeClient(directory)) as client:
            return str(client.ask("health", Health, patience=2.0).state)
    except JunctorError:
        return ""


def _reason(console: Path, code: int) -> str:
    """What a process said before it ended."""
    with contextlib.suppress(OSError):
        lines = console.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        told = [line.removeprefix("junctor: ") for line in lines if line.startswith("junctor: ")]
        said = told[-1:] + lines[lines.index(f"junctor: {told[-1]}") + 1 :] if told else lines[-10:]
        if said:
            return "\n".join(said)
    return f"the process ended with code {code}"


# One at a time ------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _only_one(place: Namespace, production: str) -> Iterator[None]:
    _refuse_second(place, production)
    lock = _lock(place)
    try:
        lock.acquire()
    except StoreLocked as error:
        raise ProductionRuns(f"another production of namespace {place.name} is starting") from error
    try:
        yield
    finally:
        lock.release()


def _refuse_second(place: Namespace, production: str) -> None:
    """Wait for one that is ending.

    :raises ProductionRuns: one runs.
    """
    until = time.monotonic() + _ENDING
    while True:
        take_note()
        running = place.running()
        if running == production:
            raise ProductionRuns(f"production {running} runs already")
        if running:
            what = f"production {running} runs, and one production of namespace {place.name} runs at a time"
            raise ProductionRuns(what)
        if not _is_locked(place) or time.monotonic() > until:
            return
        time.sleep(_LOOK)


def _lock(place: Namespace) -> StoreLock:
    path = place.home / "iop" / f"{place.name}.running"
    path.parent.mkdir(parents=True, exist_ok=True)
    return StoreLock(path)


def _is_locked(place: Namespace) -> bool:
    from junctor.store.lock import holder

    return holder(place.home / "iop" / f"{place.name}.running") not in (0, os.getpid())


# The end ------------------------------------------------------------------------------------------------------


def stop(place: Namespace, timeout: float = STOP) -> str:
    """Stop the production that runs, cleanly; its name.

    :param timeout: seconds.
    :raises NoProduction: none runs.
    :raises ProductionStillRuns: it still runs.
    """
    name, client = place.client()
    with contextlib.closing(client):
        client.ask("stop", patience=timeout)
        if not client.await_end(timeout):
            raise ProductionStillRuns(f"production {name} still runs after {timeout:g} s", where=str(client.directory))
    _await_end(place)
    return name


def _await_end(place: Namespace) -> None:
    """The node has hung up; its process notes that it ends, and then ends."""
    until = time.monotonic() + _ENDING
    while _is_locked(place) and time.monotonic() < until:
        take_note()
        time.sleep(_LOOK)


def kill(place: Namespace) -> str:
    """End the production that runs: within ten seconds cleanly, else at once; its name. What was accepted is kept in
    any case.

    :raises NoProduction: none runs.
    """
    name = place.running()
    if not name:
        raise place.none_runs()
    try:
        stop(place, KILL)
    except JunctorError:
        _end(place, name)
    return name


def _end(place: Namespace, name: str) -> None:
    from junctor.store.identity import LOCK
    from junctor.store.lock import holder

    directory = place.directory(name)
    pid = holder(directory / LOCK)
    if pid:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    until = time.monotonic() + _ENDING
    while directories.is_running(directory) and time.monotonic() < until:
        time.sleep(_LOOK)
    _await_end(place)
    life = Life.read(directory)
    if life is not None:
        life.stopped = time.time()
        life.write(directory)
