"""``file-out``: messages become files, or lines of files."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from junctor.adapters.base import OUTAGES, Outbound
from junctor.adapters.file.content import LINES, Content, OutFormat
from junctor.adapters.file.encoding import check_signs, encoding_of
from junctor.adapters.file.moving import sync_folder
from junctor.adapters.file.names import checked, numbered, part, shown
from junctor.adapters.file.readiness import Marker
from junctor.adapters.file.writing import (
    End,
    Line,
    Spot,
    append,
    length_of,
    replace_file,
    stands_in,
    write_marker,
)
from junctor.adapters.records import checked_fields
from junctor.core.expressions import Expression, Template, of_message
from junctor.core.outcome import Park
from junctor.core.policy import Policies, RetryPolicy
from junctor.errors import ConfigurationError, SettingError
from junctor.messages import Message
from junctor.services import handler
from junctor.services.state import State
from junctor.settings import setting

T = TypeVar("T")

_SEEN = ("body", "headers", "key", "type", "message", "file", "now")

_REMEMBERED = 10_000

_OF_A_NAME = (errno.ENAMETOOLONG, errno.ELOOP, errno.EILSEQ)
"""What no waiting helps against: the disk does not take this name, or there is a link."""

_ROOM = 32
"""Bytes behind the name of a file that was put away, for its number and its marker."""


class Recent(Generic[T]):
    """What was noted since the start, by name; of very many names only the latest."""

    def __init__(self) -> None:
        self._noted: dict[str, T] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._noted

    def known(self, name: str, make: Callable[[], T]) -> T:
        """What was noted under a name; where nothing was, it is made and noted now."""
        if name not in self._noted:
            self.keep(name, make())
        return self._noted[name]

    def keep(self, name: str, value: T) -> None:
        self._noted[name] = value
        if len(self._noted) > _REMEMBERED:
            del self._noted[next(iter(self._noted))]


class FileOut(Outbound):
    """Writes each message to a file of its own, which appears whole, or as a line at the end of a file, once.

    A message that is delivered again, after a kill or by an operator, has the same outcome: the same file, or no second
    line. That holds for lines as long as one service, with a pool of 1, writes to a file::

        invoices-out:
          adapter: file-out
          settings: {folder: out, file: "{body.customer}/{body.id}.json", create: true}
    """

    __junctor_policies__ = Policies(
        retry=RetryPolicy(
            on={
                **OUTAGES,
                "OSError": "hold",
                "IsADirectoryError": "park",
                "NotADirectoryError": "park",
                "FileExistsError": "park",  # where a folder is to be made
            }
        )
    )

    folder: Path = setting(doc="Where files are written; relative to the working directory of the node")
    file: Template = setting(doc="The name in the folder, of the message and {file.date}, {file.hour}, {file.month}")
    mode: Literal["replace", "append"] = setting("replace", doc="Whether a message is a file, or a line of one")
    format: OutFormat = setting("json", doc="What is written of a message")
    content: Expression | None = setting(None, doc="What is written instead of the body: a text, base64, or any value")
    columns: dict[str, Expression] = setting({}, doc="The columns of CSV, each with an expression for its cells")
    delimiter: str = setting(",", min_length=1, max_length=1, doc="What stands between two cells of CSV")
    encoding: str = setting("utf-8", doc="The encoding of text and CSV; JSON is always UTF-8")
    permissions: str = setting("", pattern="([0-7]{3,4})?", doc="Of the files, as chmod takes them: 640")
    create: bool = setting(
        False, doc="Whether the folder, and those that the name has, are made; else their lack holds"
    )
    marker: str = setting("", doc="The name of an empty file written after it, with {name}: {name}.done")
    rotate_size: int | None = setting(None, ge=1, unit="bytes", doc="Length that a file is not to exceed by a line")

    def on_start(self) -> None:
        self._met: Recent[int] = Recent()  # by name, how long a file was when it was met
        self._begun: Recent[bool] = Recent()  # effects of messages that were begun
        self._marker = Marker(self.marker) if self.marker else None
        self._content = Content(
            format=self.format,
            value=self.content,
            columns=self.columns,
            delimiter=self.delimiter,
            encoding=self.encoding,
        )

    def check_settings(self) -> None:
        """Refuse what does not fit together."""
        super().check_settings()
        if self.mode == "append" and self.format not in LINES:
            fix = f"Use one of {', '.join(LINES)}, or mode: replace."
            raise SettingError(f"{self.format} has no lines that could be appended", where="format", fix=fix)
        if self.format == "csv" and not self.columns:
            raise SettingError("nothing says what the columns are", where="columns", fix="columns: {id: body.id}")
        if self.rotate_size is not None and self.mode != "append":
            raise SettingError("only a file that is appended to grows", where="rotate_size", fix="mode: append")
        if self.marker and ("{name}" not in self.marker or "/" in self.marker or self.marker == "{name}"):
            raise SettingError(f"{self.marker!r} names no marker", where="marker", fix='For example "{name}.done".')
        if self.marker and self.mode == "append" and self.rotate_size is None:
            fix = "Leave it out, or set rotate_size: files that were put away get one."
            raise SettingError("a file that is appended to is never finished", where="marker", fix=fix)
        name = encoding_of(self.encoding, marked=self.mode == "replace" and self.format == "text")
        if self.format == "csv":
            check_signs(self.delimiter, '"', name)
        self._check_name()
        checked_fields({"content": self.content} if self.content else {}, "content", *_SEEN)
        checked_fields(self.columns, "columns", *_SEEN)

    def _check_name(self) -> None:
        """Refuse a template that no message can make a name of."""
        try:
            self.file.check(*_SEEN)
            checked("".join(part if isinstance(part, str) else "x" for part in self.file.parts))
        except ConfigurationError as error:
            raise SettingError(error.what, where="file", fix=error.fix) from None
        except Park as wrong:
            raise SettingError(str(wrong), where="file", fix='For example "{body.id}.json".') from None

    @handler
    def write(self, body: Any) -> None:
        """Write a message."""
        variables = of_message(self.message, body, file=_times(self.message))
        name = checked(self.file.fill(variables, quote=part))
        if self._marker is not None:
            checked(self._marker.of(name))
        spot = Spot(str(self.folder), name, int(self.permissions, 8) if self.permissions else None)
        data = self._content.of(body, variables)
        try:
            self._write(spot, data)
        except OSError as error:
            if error.errno not in _OF_A_NAME:
                raise
            os.stat(self.folder)  # raises where it is the folder, which is of all messages
            raise Park(f"{shown(name)!r} cannot be written: {error.strerror}") from error
        self.count("bytes", len(data))

    def _write(self, spot: Spot, data: bytes) -> None:
        spot.enter(self.create)
        if self.mode == "append":
            self._append(spot, data)
        else:
            replace_file(spot, self._content.head + data, self.message.effect)
            self._mark(spot.path)

    def _append(self, spot: Spot, data: bytes) -> None:
        memory, message = _memory_of(self, spot.name), self.message
        line = Line(
            data=data,
            head=self._content.head,
            known=memory.get("end", type=End),
            inherited=self._met.known(spot.name, lambda: length_of(spot.path)),
            again=message.effect in self._begun,
            since=message.time,
        )
        self._begun.keep(message.effect, True)
        self._rotate(spot, line)
        memory["end"] = append(spot, line)

    def _rotate(self, spot: Spot, line: Line) -> None:
        """Put a file away that would become too long."""
        if self.rotate_size is None:
            return
        length = length_of(spot.path)
        if not length or length + len(line.data) <= self.rotate_size or stands_in(spot, line):
            return
        target = os.path.join(spot.folder, self._free(spot))
        self._mark(target)
        os.rename(spot.path, target)
        sync_folder(os.path.dirname(target))

    def _free(self, spot: Spot) -> str:
        """A name with the time of the message that no file has."""
        stem, suffix = os.path.splitext(spot.name)
        time = f"-{self.message.sent_at:%Y%m%dT%H%M%S}"
        name = f"{numbered(stem, 0, len(os.fsencode(time + suffix)) + _ROOM)}{time}{suffix}"
        number = 0
        while os.path.lexists(os.path.join(spot.folder, numbered(name, number))):
            number += 1
        return numbered(name, number)

    def _mark(self, path: str) -> None:
        if self._marker is not None:
            write_marker(self._marker.of(path))


def _memory_of(service: FileOut, name: str) -> State:
    """The state that belongs to a file. Only appending needs one, so replacing may have a pool.

    :raises StateError: with a pool and no key two messages would be written to the file at once.
    """
    service.state.get("")
    return service.state.of(f"file {hashlib.sha256(os.fsencode(name)).hexdigest()[:32]}")


def _times(message: Message) -> dict[str, str]:
    """When the message was sent, in UTC, as parts of names: the same at each attempt."""
    sent = message.sent_at
    return {"date": f"{sent:%Y-%m-%d}", "hour": f"{sent:%Y-%m-%dT%H}", "month": f"{sent:%Y-%m}"}
