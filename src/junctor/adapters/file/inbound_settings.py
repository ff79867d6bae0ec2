"""The settings of ``file-in``, and what of them does not fit together."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from junctor.adapters.base import Inbound
from junctor.adapters.file.encoding import check_signs, check_written, encoding_of
from junctor.adapters.file.folder import Order, Search
from junctor.adapters.file.formats import WHOLE, Format, Layout, Undecodable
from junctor.adapters.file.readiness import Ready
from junctor.adapters.file.reading import Compression
from junctor.core.expressions import Template
from junctor.errors import JunctorError, SettingError
from junctor.settings import Duration, setting

After = Literal["archive", "delete", "leave"]
Changing = Literal["quarantine", "anew"]

MIB = 1024 * 1024


class FileInSettings(Inbound):
    """What ``file-in`` is told."""

    # Which files
    folder: Path = setting(doc="Where files arrive; relative to the working directory of the node")
    pattern: str = setting("*", min_length=1, doc="Which names, with * ? and [...]; hidden ones need a dot in front")
    recursive: bool = setting(False, doc="Whether folders below are looked through, too")
    order: Order = setting("name", doc="Which file comes first: by name, or the one that was changed longest ago")
    follow_links: bool = setting(False, doc="Whether symbolic links to files are read; else they are left out")
    # When they are finished
    ready: Ready = setting(
        "stable", doc="How a finished file is told: no change for a while, a marker file, or at once"
    )
    stable_for: Duration = setting("2s", gt=0, doc="How long size and time of a file must stay the same")
    marker: str = setting("{name}.done", doc="The name of the marker file, with {name} for that of the file")
    # What is in them
    format: Format = setting("lines", doc="What a record is: a line, a JSON value, a row of CSV, or the whole file")
    type: str = setting("", doc="The type of the messages, where the receiver takes several")
    encoding: str = setting("utf-8", doc="The encoding of text; JSON is always UTF-8")
    undecodable: Undecodable = setting(
        "quarantine", doc="What becomes of a file with bytes that are not of the encoding; or U+FFFD replaces them"
    )
    compression: Compression = setting("none", doc="Whether the files are compressed")
    separator: str | None = setting(None, doc="What ends a record of lines and json-lines, when not a line end")
    header: bool = setting(True, doc="Whether the first row of CSV has the names of the columns")
    columns: list[str] = setting([], doc="The names of the columns, where the file has none or others are wanted")
    delimiter: str = setting(",", min_length=1, max_length=1, doc="What stands between two cells of CSV")
    quote: str = setting('"', max_length=1, doc="What surrounds cells of CSV; empty where nothing does")
    limit: int = setting(16 * MIB, ge=1, unit="bytes", doc="The longest record; a file with a longer one is put aside")
    empty: bool = setting(False, doc="Whether an empty file is a message, for text, bytes and base64")
    # How they are read
    batch: int = setting(1000, ge=1, le=100_000, doc="Records that are committed together, with the place in the file")
    batch_bytes: int = setting(MIB, ge=1, unit="bytes", doc="Bytes after which a batch ends earlier")
    once: bool = setting(False, doc="Whether records of a file that was there before, name and time alike, are refused")
    claim: bool = setting(False, doc="Whether a file is renamed before it is read, as several nodes look at the folder")
    # What becomes of them
    after: After = setting("archive", doc="What becomes of a file that was read")
    archive: Path | None = setting(None, doc="Where files that were read go; .archive in the folder by default")
    archive_name: Template | None = setting(None, doc="Their names there, of {file.name}, {file.stem} ... and {now}")
    quarantine: Path | None = setting(None, doc="Where unreadable files go; .quarantine in the folder by default")
    changed: Changing = setting("quarantine", doc="What becomes of a file that changes while it is read")

    @property
    def archive_folder(self) -> Path:
        return self.archive or self.folder / ".archive"

    @property
    def quarantine_folder(self) -> Path:
        return self.quarantine or self.folder / ".quarantine"

    def layout(self) -> Layout:
        return Layout(
            format=self.format,
            encoding=self.encoding,
            undecodable=self.undecodable,
            separator=self.separator or "\n",
            header=self.header,
            delimiter=self.delimiter,
            quote=self.quote,
            columns=tuple(self.columns),
            limit=self.limit,
            empty=self.empty,
        )

    def search(self) -> Search:
        spared = (self.archive_folder, self.quarantine_folder)
        return Search(
            folder=str(self.folder),
            pattern=self.pattern,
            recursive=self.recursive,
            links=self.follow_links,
            order=self.order,
            spared=frozenset(str(folder.resolve()) for folder in spared),
        )

    def check_settings(self) -> None:
        """Refuse what does not fit together."""
        super().check_settings()
        self._check_encoding()
        self._check_format()
        self._check_places()

    def _check_encoding(self) -> None:
        name = encoding_of(self.encoding)
        check_written(self.separator or "", "separator", name)
        if self.format == "csv":
            check_signs(self.delimiter, self.quote, name)
        if self.format == "json" and name not in ("utf-8", "ascii"):
            raise SettingError("JSON is UTF-8", where="encoding", fix="Leave it out; json-lines takes any encoding.")

    def _check_format(self) -> None:
        if self.format == "csv" and not self.header and not self.columns:
            raise SettingError("nothing names the columns", where="columns", fix="Name them, or set header: true.")
        if len(set(self.columns)) < len(self.columns):
            raise SettingError("a column is named twice", where="columns", fix="Give each its own name.")
        if self.empty and self.format not in WHOLE:
            fix = f"Leave it out, or read whole files: {', '.join(WHOLE)}."
            raise SettingError(f"an empty file has no record of {self.format}", where="empty", fix=fix)
        if self.ready == "marker" and ("{name}" not in self.marker or "/" in self.marker or self.marker == "{name}"):
            raise SettingError(f"{self.marker!r} names no marker", where="marker", fix='For example "{name}.done".')

    def _check_places(self) -> None:
        if self.claim and self.after == "leave":
            what = "a file that is claimed has another name, and cannot be left where it is"
            raise SettingError(what, where="claim", fix="Archive or delete it: after: archive.")
        if self.after != "archive" and (self.archive is not None or self.archive_name is not None):
            where = "archive" if self.archive is not None else "archive_name"
            raise SettingError(f"files are not archived: after is {self.after}", where=where, fix="after: archive")
        folder = self.folder.resolve()
        for where, place in (("archive", self.archive), ("quarantine", self.quarantine)):
            if place is not None and place.resolve() == folder:
                raise SettingError("it is the folder itself", where=where, fix="Give another folder, or one below it.")
        if self.archive_name is not None:
            try:
                self.archive_name.check("file", "now")
            except JunctorError as error:
                raise SettingError(error.what, where="archive_name", fix=error.fix) from None
