"""Histories of runs as files, and where a replay gets them from: such files, or a store. Reads only."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec

from junctor import __version__
from junctor.core.run import Run, RunQuery, RunStatus, Turn
from junctor.errors import JunctorError
from junctor.flows.replaying import Verdict, left_out, replayed
from junctor.flows.wiring import Wiring
from junctor.node.directory import find
from junctor.node.sensitive import KEY, sensitive_in
from junctor.node.switches import ADDRESS
from junctor.node.views.runs import find_run
from junctor.node.views.search import address_of
from junctor.observe.masking import MaskedArchive
from junctor.store.reader import StoreArchive, open_archive
from junctor.transports.base import Archive

FORMAT = "junctor-history"
VERSION = 1

LARGEST = 256 * 1024 * 1024
"""Bytes of a file that is read."""

PAGE = 500


class HistoryUnusable(JunctorError):
    """A file is no history, was cut off, or is of a newer version."""

    code = "history-unusable"
    default_fix = "Make it again: junctor workflows export RUN -o FILE."
    status = 422


class WrittenTurn(msgspec.Struct, omit_defaults=True):
    """A turn; ``time`` in nanoseconds since 1970. ``data`` is JSON as :mod:`junctor.core.history` has it, text where it
    is damaged."""

    number: int
    time: int
    message: int
    data: Any
    damaged: bool = False


class WrittenHistory(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A run with its turns. ``masked``: sensitive values are left out, so that what they came to cannot be compared."""

    format: str
    version: int
    made: datetime
    junctor: str
    run: int
    service: str
    handler: str
    status: str
    started: int
    changed: int
    key: str | None = None
    code: str = ""
    session: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{0,32}$")] = ""
    error: str = ""
    damaged: bool = False
    masked: bool = False
    turns: list[WrittenTurn] = []

    def history(self) -> tuple[Run, list[Turn]]:
        """As the store has it."""
        turns = [
            Turn(one.number, one.time, one.message, msgspec.json.encode(one.data), one.damaged) for one in self.turns
        ]
        status = RunStatus[self.status.upper()] if self.status.upper() in RunStatus.__members__ else RunStatus.OPEN
        run = Run(
            self.run, self.service, self.handler, self.key, status, len(turns), self.started, self.changed,
            code=self.code, session=int(self.session or "0", 16), error=self.error, damaged=self.damaged,
        )  # fmt: skip
        return run, turns


_decoder = msgspec.json.Decoder(WrittenHistory)


def written(history: WrittenHistory) -> str:
    """The text of a file."""
    return msgspec.json.format(msgspec.json.encode(history), indent=1).decode() + "\n"


def read_history(path: Path) -> WrittenHistory:
    """The history in a file.

    :raises HistoryUnusable: the file cannot be read, is no history, was cut off, or is of a newer version.
    """
    try:
        if os.path.getsize(path) > LARGEST:
            raise HistoryUnusable("it is too large", where=str(path))
        history = _decoder.decode(path.read_bytes())
    except OSError as error:
        raise HistoryUnusable(f"it cannot be read: {error.strerror or error}", where=str(path)) from error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise HistoryUnusable(f"it is not the history of a run: {error}", where=str(path)) from error
    if history.format != FORMAT:
        raise HistoryUnusable(f'its format is "{history.format}"', where=str(path))
    if history.version > VERSION:
        fix = f"Replay it with Junctor of the node that wrote it, {history.junctor}, or newer."
        raise HistoryUnusable(f"it is of version {history.version}, newer than this one", where=str(path), fix=fix)
    return history


def history_in(archive: Archive, run: Run, masked: bool) -> WrittenHistory:
    """A run of an archive as a file has it."""
    return WrittenHistory(
        format=FORMAT,
        version=VERSION,
        made=datetime.now(UTC),
        junctor=__version__,
        run=run.seq,
        service=run.service,
        handler=run.handler,
        status=run.status.name.lower(),
        started=run.started,
        changed=run.changed,
        key=run.key,
        code=run.code,
        session=f"{run.session:032x}" if run.session else "",
        error=run.error,
        damaged=run.damaged,
        masked=masked,
        turns=[_turn(turn) for turn in archive.turns(run.seq)],
    )


def _turn(turn: Turn) -> WrittenTurn:
    try:
        data = msgspec.json.decode(turn.data)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return WrittenTurn(turn.number, turn.time, turn.seq, turn.data.decode("utf-8", "replace"), True)
    return WrittenTurn(turn.number, turn.time, turn.seq, data, turn.damaged)


def exported(node: str | None, which: str, unmasked: bool = False) -> WrittenHistory:
    """A run of a node, running or not: its store is read.

    :param unmasked: with sensitive values.
    :raises UnknownRun: there is none.
    :raises NodeNotFound: there is no such node, or it has no store.
    """
    store = open_archive(find(node))
    try:
        known = sensitive_in(store.state(ADDRESS, KEY))
        archive: Archive = store if unmasked else MaskedArchive(store, lambda: known)
        run = find_run(archive, which)
        found = history_in(archive, run, False)
        if not unmasked:
            found.masked = found.turns != history_in(store, run, False).turns
        return found
    finally:
        store.close()


def replayed_files(wirings: Sequence[Wiring], files: Sequence[Path]) -> Iterator[Verdict]:
    """The verdicts on the histories in files.

    :raises HistoryUnusable: a file is none.
    """
    for file in files:
        written = read_history(file)
        run, turns = written.history()
        yield from [left_out(run)] if written.masked else replayed(wirings, [(run, turns)])


def stored_histories(
    store: StoreArchive, service: str | None = None, statuses: Sequence[RunStatus] | None = None
) -> Iterator[tuple[Run, list[Turn]]]:
    """The runs of a store with their turns, newest first.

    :param service: a name, or flow/name.
    """
    address = address_of(service, store) if service else None
    query = RunQuery(service=address, statuses=tuple(statuses) if statuses is not None else None, limit=PAGE)
    while True:
        page = store.runs(query)
        for run in page:
            yield run, store.turns(run.seq)
        if len(page) < query.limit:
            return
        query = msgspec.structs.replace(query, before=page[-1].seq)
