"""Files as answers: in pieces, from any byte on, and not at all when the client has them already."""

from __future__ import annotations

import os
import re
import stat
from email.utils import formatdate, parsedate_to_datetime
from pathlib import Path
from typing import IO
from urllib.parse import quote

from junctor.http.answers.responses import header, send_whole
from junctor.http.asgi import Headers, Receive, Scope, Send, header_value
from junctor.http.problem import HttpError, of_error

PIECE = 64 * 1024
_RANGE = re.compile(rb"bytes=(\d{0,18})-(\d{0,18})")


def file(path: str | os.PathLike[str], download_name: str = "", media_type: str = "") -> FileAnswer:
    """A file as the answer of a route. Clients may ask for a part of it (``Range``), or only for news (``ETag``).

    The path is yours to make: never of what a client sent.

    :param download_name: browsers save it under this name instead of showing it.
    :param media_type: the content type; by default what the name suggests.
    :raises HttpError: 404, there is no such file.
    """
    place = Path(path)
    try:
        found = place.stat()
    except OSError:
        found = None
    if found is None or not stat.S_ISREG(found.st_mode):
        raise HttpError("there is no such file", status=404, code="not-found")
    import mimetypes  # reads files of the system

    kind = media_type or mimetypes.guess_type(download_name or place.name)[0] or "application/octet-stream"
    return FileAnswer(place, found, kind, download_name)


class FileAnswer:
    """The answer with a file in it, an ASGI application; :func:`file` makes it."""

    __slots__ = ("_path", "_stat", "_tag", "raw_headers", "status_code")

    def __init__(self, path: Path, found: os.stat_result, media_type: str, download_name: str) -> None:
        self._path = path
        self._stat = found
        self._tag = f'"{found.st_mtime_ns:x}-{found.st_size:x}"'.encode()
        self.status_code = 200
        charset = "; charset=utf-8" if media_type.startswith("text/") and "charset" not in media_type else ""
        self.raw_headers: Headers = [
            header("content-type", media_type + charset),
            (b"accept-ranges", b"bytes"),
            (b"etag", self._tag),
            (b"last-modified", formatdate(found.st_mtime, usegmt=True).encode()),
        ]
        if download_name:
            name = f"attachment; filename*=UTF-8''{quote(download_name, safe='')}"
            self.raw_headers.append(header("content-disposition", name))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked: Headers = scope["headers"]
        if self._known(asked):
            await send_whole(send, 304, list(self.raw_headers), b"")
            return
        size = self._stat.st_size
        part = self._part(asked, size)
        if part is None:
            all_of_it = ((b"content-range", b"bytes */%d" % size),)
            outside = HttpError(f"the file has {size} bytes", status=416, code="range", headers=all_of_it)
            await send_whole(send, *of_error(outside))
            return
        first, last = part
        headers = [*self.raw_headers, (b"content-length", b"%d" % (last - first + 1))]
        status = 200
        if (first, last) != (0, size - 1):
            status = 206
            headers.append((b"content-range", b"bytes %d-%d/%d" % (first, last, size)))
        await self._send(send, status, headers, first, last - first + 1, scope["method"] == "HEAD")

    def _known(self, asked: Headers) -> bool:
        tags = header_value(asked, b"if-none-match")
        if tags is not None:
            given = {tag.strip().removeprefix(b"W/") for tag in tags.split(b",")}
            return self._tag in given or b"*" in given
        since = header_value(asked, b"if-modified-since")
        return since is not None and not self._changed_since(since)

    def _changed_since(self, text: bytes) -> bool:
        try:
            return int(self._stat.st_mtime) > parsedate_to_datetime(text.decode("latin-1")).timestamp()
        except (ValueError, OverflowError):
            return True

    def _part(self, asked: Headers, size: int) -> tuple[int, int] | None:
        """First and last byte; None when the file has none of what is asked for. Several parts at once are not served:
        then all of it is sent, as the standard allows."""
        given = header_value(asked, b"range")
        same = header_value(asked, b"if-range") in (None, self._tag)
        found = _RANGE.fullmatch(given) if given is not None and same else None
        if found is None or not (found[1] or found[2]):
            return 0, size - 1
        if not found[1]:
            return (max(0, size - int(found[2])), size - 1) if int(found[2]) and size else None
        first, last = int(found[1]), int(found[2]) if found[2] else size - 1
        if found[2] and last < first:
            return 0, size - 1
        return (first, min(last, size - 1)) if first < size else None

    async def _send(self, send: Send, status: int, headers: Headers, first: int, length: int, head: bool) -> None:
        from junctor.runtime.threads import CallThreads

        threads = CallThreads("file")
        try:
            opened: IO[bytes] = await threads.call(self._open, (first,), None)
        except OSError:
            await send_whole(send, *of_error(HttpError("there is no such file", status=404, code="not-found")))
            threads.close()
            return
        try:
            await send({"type": "http.response.start", "status": status, "headers": headers})
            while length > 0 and not head:
                piece = await threads.call(opened.read, (min(PIECE, length),), None)
                if not piece:
                    return  # it became shorter: the client sees that something is missing
                length -= len(piece)
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            threads.close()
            opened.close()

    def _open(self, first: int) -> IO[bytes]:
        opened = self._path.open("rb")
        opened.seek(first)
        return opened
