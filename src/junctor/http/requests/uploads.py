"""Uploaded files: ``multipart/form-data`` is read as it arrives, and what is not small goes to a temporary file.

A temporary file has no name in any folder, so nothing is left behind, however the process ends.
"""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Callable, Mapping
from typing import IO, TYPE_CHECKING, Any

from junctor.http.asgi import Headers, Receive, header_value
from junctor.http.problem import HttpError

if TYPE_CHECKING:
    from junctor.http.settings import HttpSettings
    from junctor.runtime.threads import CallThreads

MAX_PARTS = 1000
IN_MEMORY = 1024 * 1024
"""Bytes of all files of one request together that stay in memory."""


class Upload:
    """A file that came with a form: a parameter of this type, or of ``list[Upload]``. Closed after the call.

    ``filename`` is what the client sent, whatever that is: do not use it as a path. ``content_type`` is what the client
    says too, empty when it says nothing. ``size`` counts bytes. ``headers`` are those of the part, names in lower case.
    """

    __slots__ = ("_disk", "content_type", "file", "filename", "headers", "size")

    def __init__(self, filename: str, headers: Mapping[str, str], disk: Disk) -> None:
        self.filename = filename
        self.headers = dict(headers)
        self.content_type = self.headers.get("content-type", "")
        self.size = 0
        self.file: IO[bytes] = io.BytesIO()
        self._disk = disk

    async def read(self, size: int = -1) -> bytes:
        """The next ``size`` bytes, fewer at the end; without a size all that is left."""
        found: bytes = await self._disk.run(self, self.file.read, size)
        return found

    async def seek(self, position: int) -> None:
        """Go to a byte, counted from the beginning."""
        await self._disk.run(self, self.file.seek, position)

    def read_sync(self, size: int = -1) -> bytes:
        """:meth:`read` for a plain ``def``; ``file`` is a binary file object with everything else."""
        return self.file.read(size)

    @property
    def in_memory(self) -> bool:
        return isinstance(self.file, io.BytesIO)

    def __repr__(self) -> str:
        return f"Upload({self.filename!r}, {self.content_type!r}, {self.size} bytes)"


class Disk:
    """Where the files of one request are: reads and writes of those that left memory happen in a thread."""

    def __init__(self) -> None:
        self._threads: CallThreads | None = None
        self._left = IN_MEMORY

    async def run(self, upload: Upload, call: Callable[..., Any], *args: Any) -> Any:
        if upload.in_memory:
            return call(*args)
        if self._threads is None:
            from junctor.runtime.threads import CallThreads

            self._threads = CallThreads("upload")
        return await self._threads.call(call, args, None)

    async def write(self, upload: Upload, data: bytes) -> None:
        """:raises HttpError: 507, the disk is full."""
        upload.size += len(data)
        try:
            if upload.in_memory:
                self._left -= len(data)
                if self._left < 0:
                    self._left += upload.size
                    _leave_memory(upload)
            await self.run(upload, upload.file.write, data)
        except OSError as error:
            raise _no_room() from error

    async def rewind(self, upload: Upload) -> None:
        """:raises HttpError: 507, the disk is full."""
        try:
            await upload.seek(0)
        except OSError as error:
            raise _no_room() from error

    def close(self) -> None:
        if self._threads is not None:
            self._threads.close()
            self._threads = None


def _no_room() -> HttpError:
    return HttpError("there is no room for the uploaded file", status=507, code="upload-space", fix="Try again later.")


def _leave_memory(upload: Upload) -> None:
    import tempfile

    held = upload.file
    upload.file = tempfile.TemporaryFile(prefix="junctor-")
    assert isinstance(held, io.BytesIO)
    upload.file.write(held.getbuffer())


class Parts:
    """What came with a form: the values of its fields and its files, by name, in order."""

    def __init__(self, fields: dict[str, list[str]] | None = None) -> None:
        self.fields: dict[str, list[str]] = fields or {}
        self.files: dict[str, list[Upload]] = {}
        self.disk = Disk()

    def close(self) -> None:
        """Close every file. Idempotent."""
        for files in self.files.values():
            for one in files:
                with contextlib.suppress(OSError):  # a full disk: what it did not take is not missed any more
                    one.file.close()
        self.disk.close()


async def read_multipart(receive: Receive, headers: Headers, boundary: bytes, settings: HttpSettings) -> Parts | None:
    """All parts of a body; None when the client went away before its end.

    :raises HttpError: 413 above the limits, 400 for what is malformed or not complete.
    """
    length = header_value(headers, b"content-length")
    if length is not None and (not length.isdigit() or int(length[:20]) > settings.upload):
        raise too_large_upload(settings.upload)
    parts = Parts()
    try:
        reader = _Reader(boundary, parts, settings.body)
        complete = await _feed(reader, receive, settings.upload)
        if complete:
            await _rewind(parts)
            return parts
    except BaseException:
        parts.close()
        raise
    parts.close()
    return None


async def _feed(reader: _Reader, receive: Receive, limit: int) -> bool:
    size = 0
    more = True
    while more:
        event = await receive()
        if event["type"] == "http.disconnect":
            return False
        data: bytes = event.get("body", b"")
        more = event.get("more_body", False)
        size += len(data)
        if size > limit:
            raise too_large_upload(limit)
        await reader.feed(data)
    reader.finish()
    return True


async def _rewind(parts: Parts) -> None:
    for files in parts.files.values():
        for one in files:
            await parts.disk.rewind(one)


def too_large_upload(limit: int) -> HttpError:
    """413, with the limit in it."""
    return HttpError(
        f"the upload is larger than {limit} bytes",
        status=413,
        code="body-too-large",
        fix="Send less, or raise `http: {upload: ...}` of the flow.",
    )


class _Reader:
    """Takes the events of the parser: text into fields within a limit for all of them, bytes of files to their files.

    The parser calls back while it reads; what goes to a file waits in ``_writes`` until it has read its piece.
    """

    def __init__(self, boundary: bytes, parts: Parts, text_limit: int) -> None:
        from python_multipart.exceptions import FormParserError
        from python_multipart.multipart import MultipartParser

        # Its words about every malformed form are noise that strangers can make; the answer says what is wrong.
        logging.getLogger("python_multipart").setLevel(logging.CRITICAL)
        self._error = FormParserError
        self._parts = parts
        self._left = self._limit = text_limit
        self._count = 0
        self._header = (bytearray(), bytearray())
        self._headers: dict[str, str] = {}
        self._disposition = b""
        self._name = ""
        self._text: bytearray | None = None
        self._file: Upload | None = None
        self._writes: list[tuple[Upload, bytes]] = []
        self._complete = False
        names = ("part_begin", "part_data", "part_end", "header_field", "header_value", "header_end")
        callbacks: Any = {f"on_{name}": getattr(self, f"_on_{name}") for name in (*names, "headers_finished", "end")}
        try:
            self._parser = MultipartParser(boundary, callbacks)
        except FormParserError as error:
            raise malformed(str(error)) from None

    async def feed(self, data: bytes) -> None:
        try:
            self._parser.write(data)
        except self._error as error:
            raise malformed(str(error)) from None
        for upload, piece in self._writes:
            await self._parts.disk.write(upload, piece)
        self._writes.clear()

    def finish(self) -> None:
        if not self._complete:
            raise malformed("it ends before its last boundary")

    def _on_part_begin(self) -> None:
        self._count += 1
        if self._count > MAX_PARTS:
            raise malformed(f"it has more than {MAX_PARTS} parts")
        self._headers = {}
        self._disposition = b""
        self._text = self._file = None

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header[0].extend(data[start:end])

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header[1].extend(data[start:end])

    def _on_header_end(self) -> None:
        name, value = (bytes(part) for part in self._header)
        for part in self._header:
            part.clear()
        if name.lower() == b"content-disposition":
            self._disposition = value
        self._headers[name.decode("latin-1").lower()] = _text(value)

    def _on_headers_finished(self) -> None:
        from python_multipart.multipart import parse_options_header

        kind, options = parse_options_header(self._disposition)
        if kind != b"form-data" or b"name" not in options:
            raise malformed("a part has no name")
        self._name = _text(options[b"name"])
        if b"filename" not in options:
            self._text = bytearray()
            self._spend(len(self._name))
            return
        self._file = Upload(_text(options[b"filename"]), self._headers, self._parts.disk)
        self._parts.files.setdefault(self._name, []).append(self._file)

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._file is not None:
            self._writes.append((self._file, data[start:end]))
        elif self._text is not None:
            self._spend(end - start)
            self._text.extend(data[start:end])

    def _spend(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise HttpError(
                f"the fields of the form are larger than {self._limit} bytes",
                status=413,
                code="body-too-large",
                fix="Send large values as files, or raise `http: {body: ...}` of the flow.",
            )

    def _on_part_end(self) -> None:
        if self._text is not None:
            try:
                self._parts.fields.setdefault(self._name, []).append(self._text.decode())
            except UnicodeDecodeError:
                raise malformed("a field is not UTF-8") from None

    def _on_end(self) -> None:
        self._complete = True


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def malformed(reason: str) -> HttpError:
    """400 for a form that cannot be read."""
    return HttpError(f"the form cannot be read: {reason[:200]}", code="form", fix="Send a complete form.")
