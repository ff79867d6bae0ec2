"""Histories of workflows against the code here, in a test: what ``junctor replay`` does on the command line."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from junctor.flows import FlowModel, load, wire
from junctor.flows.replaying import Replayed, left_out, replayed, replayer_of
from junctor.node.histories import WrittenHistory, read_history, stored_histories
from junctor.store.reader import open_archive

__tracebackhide__ = True  # of pytest: a failure is shown where the test is


def load_history(path: str | Path) -> WrittenHistory:
    """The history in a file that ``junctor workflows export`` wrote.

    :raises HistoryUnusable: the file cannot be read, is no history, was cut off, or is of a newer version.
    """
    return read_history(Path(path))


def replay_history(subject: Any, *histories: WrittenHistory | str | Path) -> Replayed:
    """Try whether the code of workflows still does what histories say. Nothing leaves and nothing is written::

        result = replay_history(Fulfil, *Path("histories").glob("*.json"))
        assert not result.wrong, result

    :param subject: a workflow class, or an object of it; or a flow, or the path of a flow file, whose services are
        found by their names.
    :param histories: files, loaded histories, or folders: one with a store stands for the runs in it that go on, any
        other one for the files in it that end with .json.
    :raises ConfigurationError: the code cannot be run.
    :raises HistoryUnusable: a file is no history.
    """
    given = [one for history in histories for one in _each(history)]
    found = [left_out(run) for run, _, masked in given if masked]
    whole = [(run, turns) for run, turns, masked in given if not masked]
    if isinstance(subject, str | Path):
        subject = load(str(subject))
    if isinstance(subject, FlowModel):
        return Replayed([*found, *replayed([wire(subject)], whole)])
    replayer = replayer_of(subject)
    return Replayed([*found, *(replayer.replay(run, turns) for run, turns in whole)])


def _each(history: WrittenHistory | str | Path) -> Iterable[tuple[Any, Any, bool]]:
    if isinstance(history, WrittenHistory):
        return [(*history.history(), history.masked)]
    path = Path(history)
    if not path.is_dir():
        return _each(read_history(path))
    files = sorted(path.glob("*.json"))
    if files and not list(path.glob("*.db")):
        return [one for file in files for one in _each(file)]
    archive = open_archive(path)
    try:
        return [(run, turns, False) for run, turns in stored_histories(archive) if run.is_open]
    finally:
        archive.close()
