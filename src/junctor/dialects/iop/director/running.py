"""A production as a process: in the foreground, or beside the terminal that started it."""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from junctor.dialects.iop.director.alone import only_one, refuse_second
from junctor.dialects.iop.director.children import Beside, keep
from junctor.dialects.iop.director.place import Life, Namespace
from junctor.errors import JunctorError
from junctor.node import directory as directories
from junctor.node.control.client import NodeClient
from junctor.node.control.operations.node import Health

if TYPE_CHECKING:
    from junctor.flows import FlowModel

START = 120.0
"""Seconds that a start beside the terminal may take."""

CONSOLE = "console.log"
"""What a production that was started beside the terminal said before its log was open, in its data directory."""

_LOOK = 0.05


class StartFailed(JunctorError):
    """A production did not come up."""

    code = "iop-start-failed"
    default_fix = "Start it in the foreground to see more: iop --start NAME."


def run_here(place: Namespace, production: str, *, quiet: bool = False) -> int:
    """Run a production in this process until it is stopped; the exit code of the node.

    :param quiet: say only what prevents it.
    :raises ProductionRuns: one runs already.
    """
    from junctor.node.process.launch import Options, launch

    directory = place.directory(production)
    # The node loads the production by its name, also when it is updated.
    os.environ |= {"IOP_HOME": str(place.home), "IOP_NAMESPACE": place.name}
    with only_one(place, production):
        directories.prepare(directory)
        life = Life(production, place.name, os.getpid(), time.time())
        life.write(directory)
        try:
            options = Options(store=directory, listen="when-asked", log_level="critical" if quiet else "info")
            return launch(lambda: _loaded(production, directory), options)
        finally:
            life.stopped = time.time()
            life.write(directory)


def _loaded(production: str, directory: Path) -> list[FlowModel]:
    """The flow of a production. What prevents it is written into its log, too: nobody may see this terminal."""
    from junctor.flows import load, wire_all

    try:
        models = [load(f"iop:{production}")]
        wire_all(models)
    except JunctorError as error:
        _note(directory, f"production {production} was not started: {error}")
        raise
    return models


def _note(directory: Path, text: str) -> None:
    """Add a line to a log that no node writes now."""
    from junctor.observe.logfile import LogFile

    file = LogFile()
    file.handle(logging.LogRecord("junctor.node", logging.ERROR, "", 0, "%s", (text,), None))
    file.open(directory)
    file.close()


def start_beside(place: Namespace, production: str) -> None:
    """Start a production in a process of its own, which outlives this one; returns when it runs.

    :raises ProductionRuns: one runs already.
    :raises StartFailed: it did not come up; the text has its reason.
    """
    refuse_second(place, production)
    directory = place.directory(production)
    directories.prepare(directory)
    with _private(directory / CONSOLE) as console:
        process = Beside(
            # -P: a file of the working folder must not stand for a module of Python, queue.py for example.
            [sys.executable, "-P", "-m", "junctor.dialects.iop.director.background", production],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=console,
            env={**os.environ, "IOP_HOME": str(place.home), "IOP_NAMESPACE": place.name},
            start_new_session=True,
        )
    keep(process)
    _await_ready(process, directory)


@contextlib.contextmanager
def _private(path: Path) -> Iterator[int]:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        yield file
    finally:
        os.close(file)


def _await_ready(process: Beside, directory: Path) -> None:
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
