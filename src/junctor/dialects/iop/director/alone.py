"""One production of a namespace runs at a time, as in InterSystems IRIS."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from junctor.dialects.iop.director.children import take_note
from junctor.dialects.iop.director.place import Life, Namespace
from junctor.dialects.iop.migration.lock import make_private
from junctor.dialects.iop.migration.registry import Registry
from junctor.errors import JunctorError, StoreLocked
from junctor.store.lock import StoreLock, holder

_ENDING = 10.0  # seconds: a node that has hung up is about to end
_LOOK = 0.05


class ProductionRuns(JunctorError):
    """A production of the namespace runs already."""

    code = "iop-production-runs"
    default_fix = "Stop it first: iop --stop. Or let it take over what was migrated: iop --update."
    status = 409


class FolderTaken(JunctorError):
    """The folder of a production has the messages of another one, whose name is the same there."""

    code = "iop-folder-taken"
    default_fix = "Give one of them another name, and migrate it."
    status = 409


@contextlib.contextmanager
def only_one(place: Namespace, production: str) -> Iterator[None]:
    """Hold the namespace in the block.

    :raises ProductionRuns: another process has it.
    """
    refuse_second(place, production)
    path = _file(place)
    make_private(path.parent)
    lock = StoreLock(path)
    try:
        lock.acquire()
    except StoreLocked as error:
        raise ProductionRuns(f"another production of namespace {place.name} is starting") from error
    try:
        yield
    finally:
        lock.release()


def refuse_second(place: Namespace, production: str) -> None:
    """Wait for one that is ending.

    :raises ProductionRuns: one runs.
    :raises FolderTaken: it would take over the messages of another one.
    """
    _refuse_folder(place, production)
    until = time.monotonic() + _ENDING
    while True:
        take_note()
        running = place.running()
        if running == production:
            raise ProductionRuns(f"production {running} runs already")
        if running:
            what = f"production {running} runs, and one production of namespace {place.name} runs at a time"
            raise ProductionRuns(what, fix="Stop it first: iop --stop.")
        if not _is_locked(place) or time.monotonic() > until:
            return
        time.sleep(_LOOK)


def _refuse_folder(place: Namespace, production: str) -> None:
    directory = place.directory(production)
    life = Life.read(directory)
    if life is None or (life.production, life.namespace) == (production, place.name):
        return
    if life.production in Registry.open(life.namespace, place.home).productions:  # else it was renamed
        what = f"its folder has the messages of {life.production} of namespace {life.namespace}"
        raise FolderTaken(f"production {production} cannot start: {what}", where=str(directory))


def await_end(place: Namespace) -> None:
    """Return when the process of a node that has hung up has noted its end, or does not come to it."""
    until = time.monotonic() + _ENDING
    while _is_locked(place) and time.monotonic() < until:
        take_note()
        time.sleep(_LOOK)


def _is_locked(place: Namespace) -> bool:
    return holder(_file(place)) not in (0, os.getpid())


def _file(place: Namespace) -> Path:
    return place.home / "iop" / f"{place.name}.running"
