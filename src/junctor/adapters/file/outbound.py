"""``file-out``: messages become files, or lines of files."""

from __future__ import annotations

import codecs
import hashlib
import os
from pathlib import Path
from typing import Any, Literal

from junctor.adapters.base import OUTAGES, Outbound
from junctor.adapters.file.content import LINES, Content, OutFormat
from junctor.adapters.file.moving import sync_folder
from junctor.adapters.file.names import checked, numbered, part
from junctor.adapters.file.readiness import Marker
from junctor.adapters.file.writing import End, Spot, append, is_own, length_of, replace_file, write_marker
from junctor.core.expressions import Expression, Template, of_message
from junctor.core.policy import Policies, RetryPolicy
from junctor.errors import SettingError
from junctor.messages import Message
from junctor.services import handler
from junctor.settings import setting

_REMEMBERED = 1024
"""Files of which it is known in memory which message was written last."""


class FileOut(Outbound):
    """Writes each message to a file of its own, which appears whole, or as a line at the end of a file, once.

    A message that is delivered again, after a kill or by an operator, has the same outcome: the same file, or no second
    line. That holds for lines as long as one service, with a pool of 1, writes to a file.
    """

    __junctor_policies__ = Policies(retry=RetryPolicy(on={**OUTAGES, "OSError": "hold"}))

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
        self._last: dict[str, str] = {}  # by name, which message was written last, since the node has started
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
        try:
            codecs.lookup(self.encoding)
        except LookupError:
            fix = "For example utf-8 or latin-1."
            raise SettingError(f'there is no encoding "{self.encoding}"', where="encoding", fix=fix) from None

    @handler
    def write(self, body: Any) -> None:
        """Write a message."""
        variables = of_message(self.message, body, file=_times(self.message))
        name = checked(self.file.fill(variables, quote=part))
        spot = Spot(str(self.folder), name, int(self.permissions, 8) if self.permissions else None)
        data = self._content.of(body, variables)
        spot.enter(self.create)
        if self.mode == "append":
            self._append(spot, data)
        else:
            whole = self._content.head + data
            replace_file(spot, whole, self.message.effect)
            self._mark(spot.path)
        self.count("bytes", len(data))

    def _append(self, spot: Spot, data: bytes) -> None:
        line, effect = self.state, self.message.effect
        line.get("")  # with a pool and no key two messages would write to one file: this refuses it
        memory = line.of(f"file {hashlib.sha256(os.fsencode(spot.name)).hexdigest()[:32]}")
        known = memory.get("end", type=End)
        again = self._last.get(spot.name, effect) == effect
        self._remember(spot.name, effect)
        self._rotate(spot, data, known, again)
        memory["end"] = append(spot, lambda empty: self._whole(data, empty), known, again)

    def _whole(self, data: bytes, empty: bool) -> bytes:
        return self._content.head + data if empty else data

    def _remember(self, name: str, effect: str) -> None:
        self._last.pop(name, None)
        self._last[name] = effect
        if len(self._last) > _REMEMBERED:
            del self._last[next(iter(self._last))]

    def _rotate(self, spot: Spot, data: bytes, known: End | None, again: bool) -> None:
        """Put a file away that would become too long."""
        if self.rotate_size is None or not 0 < self.rotate_size - len(data) < length_of(spot.path):
            return
        if again and is_own(spot, lambda empty: self._whole(data, empty), known):
            return
        name = self._free(spot)
        target = os.path.join(spot.folder, name)
        self._mark(target)
        os.rename(spot.path, target)
        sync_folder(os.path.dirname(target))

    def _free(self, spot: Spot) -> str:
        """A name with the time of the message that no file has."""
        stem, suffix = os.path.splitext(spot.name)
        name = f"{stem}-{self.message.sent_at:%Y%m%dT%H%M%S}{suffix}"
        number = 0
        while os.path.lexists(os.path.join(spot.folder, numbered(name, number))):
            number += 1
        return numbered(name, number)

    def _mark(self, path: str) -> None:
        if self._marker is not None:
            write_marker(self._marker.of(path))


def _times(message: Message) -> dict[str, str]:
    """When the message was sent, in UTC, as parts of names: the same at each attempt."""
    sent = message.sent_at
    return {"date": f"{sent:%Y-%m-%d}", "hour": f"{sent:%Y-%m-%dT%H}", "month": f"{sent:%Y-%m}"}
