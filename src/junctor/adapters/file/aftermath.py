"""What becomes of a file when what was read of it is committed: archived, deleted, or put aside with a note."""

from __future__ import annotations

import contextlib
import os
from datetime import UTC, datetime

from junctor.adapters.file.cursor import Cursor
from junctor.adapters.file.moving import move, place, write_note
from junctor.adapters.file.names import checked, numbered, restored, shown
from junctor.adapters.file.readiness import Marker
from junctor.core.expressions import Template, Variables
from junctor.core.outcome import Park
from junctor.errors import JunctorError

_NOTE = ".error"
"""What the name of a note ends with."""


def path_of(folder: str, cursor: Cursor) -> str:
    """Where the file of a cursor is now."""
    return os.path.join(folder, restored(cursor.claimed or cursor.name))


def is_there(folder: str, cursor: Cursor) -> os.stat_result | None:
    """The status of the file of a cursor; None where it is gone, also where another one has its name."""
    try:
        status = os.stat(path_of(folder, cursor))
    except FileNotFoundError:
        return None
    identity = cursor.identity
    same_file = (status.st_dev, status.st_ino) == (identity.device, identity.inode)
    return status if same_file or (status.st_size, status.st_mtime_ns) == (identity.size, identity.mtime) else None


def archive(folder: str, cursor: Cursor, archive_folder: str, template: Template | None) -> None:
    """Move the file into the archive. Nothing happens where it is there already."""
    with contextlib.suppress(FileNotFoundError):
        move(path_of(folder, cursor), archive_folder, _archive_name(cursor, template))


def delete(folder: str, cursor: Cursor) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path_of(folder, cursor))


def unmark(folder: str, name: str, marker: Marker) -> None:
    """Remove the marker of a file that is gone; not that of another one that has its name already."""
    if not os.path.lexists(os.path.join(folder, name)):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(folder, marker.of(name)))


def put_aside(folder: str, cursor: Cursor, quarantine: str) -> str:
    """Move the file into quarantine, with a note beside it; only the note where the file has vanished.

    :return: the path of the note.
    """
    under = ""
    if is_there(folder, cursor):
        with contextlib.suppress(FileNotFoundError):
            under = move(path_of(folder, cursor), quarantine, restored(cursor.name), len(_NOTE))
    note = os.path.join(quarantine, f"{under or _moved(quarantine, cursor)}{_NOTE}")
    write_note(note, _note(cursor))
    return note


def _moved(quarantine: str, cursor: Cursor) -> str:
    """The name that the file got in quarantine, where it was moved there before a kill; else one that is free."""
    name, identity = place(quarantine, restored(cursor.name)), cursor.identity
    number = 0
    while True:
        under = numbered(name, number, len(_NOTE))
        try:
            status = os.lstat(os.path.join(quarantine, under))
        except FileNotFoundError:
            return under
        if (status.st_dev, status.st_ino) == (identity.device, identity.inode):
            return under
        number += 1


def _note(cursor: Cursor) -> str:
    ended = datetime.fromtimestamp(cursor.ended / 1e9, UTC).isoformat(timespec="seconds")
    return (
        f"file: {shown(restored(cursor.name))}\n"
        f"problem: {cursor.problem}\n"
        f"time: {ended}\n"
        f"sent: the records before line {cursor.line}, byte {cursor.offset}\n"
    )


def _archive_name(cursor: Cursor, template: Template | None) -> str:
    name = restored(cursor.name)
    if template is None:
        return name
    last = shown(name.rpartition("/")[2])
    stem, suffix = os.path.splitext(last)
    file = {"name": last, "stem": stem, "suffix": suffix, "folder": shown(name.rpartition("/")[0])}
    variables = Variables({}, file=file, now=datetime.fromtimestamp(cursor.ended / 1e9, UTC))
    try:
        return checked(template.fill(variables, quote=lambda text: text.replace("/", "-")))
    except (JunctorError, Park):
        return name  # a file that was read goes into the archive, whatever its name is
