"""The end of a production: cleanly, or by force."""

from __future__ import annotations

import contextlib
import os
import signal
import time

from junctor.dialects.iop.director.alone import await_end
from junctor.dialects.iop.director.place import Life, Namespace
from junctor.errors import JunctorError
from junctor.node import directory as directories
from junctor.store.identity import LOCK
from junctor.store.lock import holder

STOP = 120.0
"""Seconds that a stop waits, as the shutdown timeout of a production of IRIS."""

KILL = 10.0
"""Seconds that what runs has to its end when a production is killed."""

_ENDING = 10.0  # seconds: the system takes a moment to end a process
_LOOK = 0.05


class ProductionStillRuns(JunctorError):
    """A production was asked to stop, and still runs."""

    code = "iop-production-still-runs"
    default_fix = "`junctor status` shows what still runs; `iop --kill` ends it, and nothing that was accepted is lost."


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
    await_end(place)
    return name


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
    directory = place.directory(name)
    pid = holder(directory / LOCK)
    if pid:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    until = time.monotonic() + _ENDING
    while directories.is_running(directory) and time.monotonic() < until:
        time.sleep(_LOOK)
    await_end(place)
    life = Life.read(directory)
    if life is not None:
        life.stopped = time.time()
        life.write(directory)
