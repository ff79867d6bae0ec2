"""``file-in``: the files of a folder become messages."""

from __future__ import annotations

import errno
import os

import msgspec
from msgspec.structs import replace

from junctor.adapters.base import OUTAGES
from junctor.adapters.file.aftermath import archive, delete, is_there, path_of, put_aside, unmark
from junctor.adapters.file.cursor import Cursor
from junctor.adapters.file.finding import Finder, Rules
from junctor.adapters.file.formats import Record
from junctor.adapters.file.inbound_settings import FileInSettings
from junctor.adapters.file.left import Left
from junctor.adapters.file.names import restored, shown
from junctor.adapters.file.readiness import Marker, Stability
from junctor.adapters.file.reading import Changed, Reading
from junctor.adapters.records import reader_of
from junctor.core.policy import Policies, RetryPolicy
from junctor.errors import BodyTooLarge, QueueFull

_GROW = ("lines", "json-lines", "csv")
"""Formats of files that may become longer: what is behind the end that was read is more of the same."""

_MOST_ENDED = 500
"""Files that end in one commit: what is known of them is in the state until they are gone."""


class Progress(msgspec.Struct, omit_defaults=True):
    """What the state says: the file that is being read, and those that were read and are still where they were."""

    current: Cursor | None = None
    ended: list[Cursor] = []


class _Batch:
    """What still fits into a commit."""

    def __init__(self, records: int, size: int) -> None:
        self.records = records
        self.size = size
        self.refused = False
        """The receiver has no room for more."""

    @property
    def full(self) -> bool:
        return self.records <= 0 or self.size <= 0 or self.refused

    def add(self, records: int, size: int) -> None:
        """Also a file without a record takes a place: there may be many."""
        self.records -= max(1, records)
        self.size -= size


class FileIn(FileInSettings):
    """Makes messages of the files in a folder: a message a record, or a message a file.

    How far a file was read is committed with its records, so none is left out and none comes twice, whatever ends the
    node. A file is archived, deleted or left by the look that follows the commit of its last record::

        orders-in:
          adapter: file-in
          settings: {folder: in, pattern: "*.csv", format: csv}
          connect: {out: orders}
    """

    __junctor_policies__ = Policies(retry=RetryPolicy(on={**OUTAGES, "OSError": "hold"}))

    _reading: Reading | None = None
    _finder: Finder | None = None
    _left: Left | None = None

    def on_start(self) -> None:
        self._layout = self.layout()
        self._grows = self.format in _GROW and self.compression == "none"
        self._marker = Marker(self.marker) if self.ready == "marker" else None
        self._read = reader_of(self.out, self.type, lax=self.format == "csv")

    def on_stop(self) -> None:
        self._close()

    def remark(self) -> str:
        reading = self._reading
        return f"reads {shown(restored(reading.cursor.name))}, line {reading.cursor.line:,}" if reading else ""

    def poll(self) -> bool:
        """Finish the files whose records are committed, then send the next batch."""
        finder = self._finder = self._finder or self._new_finder()
        progress = self.state.get("progress", Progress(), type=Progress)
        ended, progress.ended = progress.ended, []
        for cursor in ended:
            self._finish(cursor, progress)
        batch = _Batch(self.batch, self.batch_bytes)
        if not self._fill(progress, batch, finder) and not ended:
            return False
        self.state["progress"] = progress
        return not batch.refused

    # Reading ------------------------------------------------------------------------------------------------

    def _fill(self, progress: Progress, batch: _Batch, finder: Finder) -> bool:
        """Send a batch, from as many files as it takes. Whether there was something to do."""
        looked = done = False
        while not batch.full and len(progress.ended) < _MOST_ENDED:
            if progress.current is None:
                progress.current = self._next(finder, progress, looked)
                looked = True
                if progress.current is None:
                    return done
                if self.claim:
                    return True  # committed before it is taken: after a kill it is known whose it is
            done = True
            self._advance(progress, progress.current, batch)
        return done

    def _next(self, finder: Finder, progress: Progress, looked: bool) -> Cursor | None:
        """The next file; the folder is looked through once a batch, so that a batch has an end."""
        found = finder.next()
        if found is None and not looked:
            finder.look({restored(cursor.name) for cursor in progress.ended}, self.now().timestamp())
            found = finder.next()
        return found

    def _advance(self, progress: Progress, cursor: Cursor, batch: _Batch) -> None:
        """Send the next records of a file. One that is at its end has ended."""
        try:
            reading = self._opened(cursor)
            taken = reading.take(batch.records, batch.size) if reading is not None else []
        except Changed as changed:
            self._close()
            progress.current = self._after_change(cursor, str(changed), progress)
            batch.add(0, 0)
            return
        except BaseException:
            self._close()  # where it stands now is not known: it is opened anew at the cursor
            raise
        progress.current = None
        if reading is None:
            return
        after = self._send(taken, cursor, reading.cursor, batch)
        batch.add(len(taken), after.offset - cursor.offset)
        if batch.refused:
            self._close()
            progress.current = after
        elif reading.ended or after.problem:
            self._close()
            progress.ended.append(replace(after, ended=self._time()))
        else:
            progress.current = after

    def _send(self, taken: list[Record], before: Cursor, after: Cursor, batch: _Batch) -> Cursor:
        """Send records; the cursor behind the last one that could be sent."""
        name, key = shown(restored(before.name)), before.key if self.once else None
        offset, line = before.offset, before.line
        for record in taken:
            headers = {"file": name, "line": str(record.line)}
            if record.problem:
                headers["problem"] = record.problem
            own = f"{key}:{offset}" if key else None
            try:
                self.out.send(self._read(record.value), headers=headers, idempotency_key=own)
            except QueueFull:
                if len(self.out.addresses) != 1:
                    raise  # one of several may have taken it: nothing of this batch counts
                batch.refused = True
                return replace(after, offset=offset, line=line, problem="")
            except BodyTooLarge as error:
                return replace(after, offset=offset, line=line, problem=f"line {record.line}: {error.what}")
            offset, line = record.end, record.next_line
        self.count("records", len(taken))
        return after

    def _opened(self, cursor: Cursor) -> Reading | None:
        """The file of the cursor, open there; None where it is gone, or another node was faster.

        :raises Changed: it is not what it was.
        """
        if self._reading is not None and self._reading.cursor == cursor:
            return self._reading
        self._close()
        path = path_of(str(self.folder), cursor)
        try:
            if cursor.claimed and not os.path.lexists(path):
                os.rename(os.path.join(self.folder, restored(cursor.name)), path)
            self._reading = Reading(path, cursor, self._layout, self.compression, self.follow_links)
        except FileNotFoundError:
            self._check_disk(cursor)
            if cursor.offset:
                raise Changed("it vanished") from None
        return self._reading

    def _check_disk(self, cursor: Cursor) -> None:
        """A file is gone: or is it the folder?

        :raises OSError: it is, or what was mounted there.
        """
        if os.stat(self.folder).st_dev != cursor.identity.device:
            name = shown(restored(cursor.name))
            raise OSError(errno.ENODEV, f"{name} was on another disk than is there now: is it mounted?")

    def _after_change(self, cursor: Cursor, what: str, progress: Progress) -> Cursor | None:
        """What follows when a file is not what it was: it is put aside, or read anew."""
        name = restored(cursor.name)
        if self.changed == "anew" and self._finder is not None:
            again = self._finder.begin(name, restored(cursor.claimed), cursor.claimed)
            if again is not None:
                self.log.warning("%s is read anew, it changed while it was read: %s", shown(name), what)
                return again
        problem = f"line {cursor.line}: it changed while it was read: {what}"
        progress.ended.append(replace(cursor, problem=problem, ended=self._time()))
        return None

    def _close(self) -> None:
        reading, self._reading = self._reading, None
        if reading is not None:
            reading.close()

    def _new_finder(self) -> Finder:
        if self.after == "leave":
            self._left = Left(str(self.folder), self.state.of("left"), self._grows)
        rules = Rules(
            stability=Stability(self.stable_for) if self.ready == "stable" else None,
            marker=self._marker,
            left=self._left,
            claim=self.claim,
        )
        return Finder(self.search(), rules, self._refused)

    def _refused(self, name: str, reason: str) -> None:
        self.log.error("%s cannot be read and is left out: %s", name, reason)

    # When a file was read -----------------------------------------------------------------------------------

    def _finish(self, cursor: Cursor, progress: Progress) -> None:
        """What was read of a file is committed: now it may go. Where it has grown, more of it is read first."""
        folder, name = str(self.folder), restored(cursor.name)
        status = is_there(folder, cursor)
        if cursor.problem:
            self._put_aside(cursor)
        elif status is not None and self._grows and status.st_size > cursor.identity.size:
            self._read_on(cursor, progress)
            return
        elif status is not None:
            self._put_away(cursor)
            self.count("files")
        if self._marker is not None:
            unmark(folder, name, self._marker)

    def _read_on(self, cursor: Cursor, progress: Progress) -> None:
        """One file after the other; this one waits while another is read."""
        if progress.current is None:
            progress.current = replace(cursor, ended=0)
        else:
            progress.ended.append(cursor)

    def _put_aside(self, cursor: Cursor) -> None:
        """A file that has to stay where it is stays there, and is left out until it changes."""
        name = shown(restored(cursor.name))
        if self._left is not None:
            self._left.keep(cursor)
            self.log.error("%s is left out until it changes: %s", name, cursor.problem)
        else:
            note = put_aside(str(self.folder), cursor, str(self.quarantine_folder))
            self.log.error("%s is put aside: %s; see %s", name, cursor.problem, shown(note))
        self.count("quarantined")

    def _put_away(self, cursor: Cursor) -> None:
        if self.after == "archive":
            archive(str(self.folder), cursor, str(self.archive_folder), self.archive_name)
        elif self.after == "delete":
            delete(str(self.folder), cursor)
        elif self._left is not None:
            self._left.keep(replace(cursor, ended=0))

    def _time(self) -> int:
        return int(self.now().timestamp() * 1e9)
