"""An answer: read within its limit, and as what it is to be read."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from typing import Any

import msgspec

from junctor.adapters.http.charset import decoded
from junctor.adapters.http.failed import HttpCallFailed
from junctor.adapters.http.outbound_settings import Answer as Reading

NO_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What reading something raises that is no JSON, or none that anybody could use."""

_CHARSET = re.compile(r"charset=\"?([A-Za-z0-9_.:-]+)", re.IGNORECASE)
_SHOWN = 300
"""Characters of an answer that an error has."""


class Answer(msgspec.Struct, frozen=True):
    """What the other side said. Headers are found under their names in any case."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def said(self) -> str:
        """``404 Not Found``."""
        return f"{self.status} {self.reason}".strip()

    @property
    def is_json(self) -> bool:
        """Whether its content type says so."""
        kind = self.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        return kind == "application/json" or kind.endswith("+json")

    @property
    def text(self) -> str:
        """The body as text, in the charset that it says; what is none becomes replacement characters."""
        found = _CHARSET.search(self.headers.get("Content-Type", ""))
        try:
            return decoded(self.body, found[1] if found is not None else "utf-8", "replace")
        except LookupError:
            return self.body.decode(errors="replace")

    @property
    def begin(self) -> str:
        """The first of its text, on one line, for errors."""
        shown = " ".join(self.text[:2000].split())
        return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."

    def holds_json(self, reading: Reading) -> bool:
        """Whether it is to be read as JSON."""
        return reading == "json" or (reading == "auto" and self.is_json)

    def read(self, reading: Reading, where: str) -> Any:
        """The body as plain data; None for an empty one.

        :raises HttpCallFailed: it is not what it is to be read as.
        """
        if reading == "none" or not self.body:
            return None
        return self._json(where) if self.holds_json(reading) else self.text

    def variables(self, json: Any) -> dict[str, Any]:
        """What expressions see as ``response``.

        :param json: the body as that, None where it is none.
        """
        headers = {name.lower(): value for name, value in self.headers.items()}
        return {"status": self.status, "headers": headers, "text": self.text, "json": json}

    def _json(self, where: str) -> Any:
        try:
            return msgspec.json.decode(self.body)
        except NO_JSON as error:
            what = f"{self.said}, and the answer is no JSON: {error}: {self.begin!r}"
            raise HttpCallFailed(what, where=where, answered=self.status) from None


class Unpacking:
    """Puts a body together, unpacked, and stops at its limit: a few bytes may stand for gigabytes.

    :param encoding: the header ``Content-Encoding``.
    :param limit: bytes.
    """

    def __init__(self, encoding: str, limit: int, where: str) -> None:
        self._limit = limit
        self._where = where
        self._parts: list[bytes] = []
        self._size = 0
        name = encoding.strip().lower()
        if name not in ("", "identity", "gzip", "x-gzip", "deflate"):
            what = f'the answer is packed as "{name[:40]}", which nobody asked for'
            raise HttpCallFailed(what, where=where, reaction="park")
        self._inflating = zlib.decompressobj(47) if name not in ("", "identity") else None

    def feed(self, piece: bytes) -> None:
        """:raises HttpCallFailed: it is too large, or not packed as it says."""
        if self._inflating is not None:
            piece = self._unpacked(self._inflating, piece)
        self._size += len(piece)
        if self._size > self._limit:
            what = f"the answer is larger than {self._limit} bytes"
            fix = "Raise limit, or ask for less."
            raise HttpCallFailed(what, where=self._where, fix=fix, reaction="park")
        self._parts.append(piece)

    def _unpacked(self, inflating: zlib._Decompress, piece: bytes) -> bytes:
        """What a piece stands for. Several members may follow each other (RFC 1952, 2.2)."""
        made, room = b"", self._limit - self._size + 1
        while piece and len(made) < room:
            if inflating.eof:  # it would only collect what follows, without a limit
                inflating = self._inflating = zlib.decompressobj(47)
            try:
                made += inflating.decompress(piece, room - len(made))
            except zlib.error as error:
                what = f"the answer cannot be unpacked: {error}"
                raise HttpCallFailed(what, where=self._where) from None
            piece = inflating.unused_data
        return made

    def end(self) -> bytes:
        """:raises ConnectionError: something is missing."""
        if self._inflating is not None and self._parts and not self._inflating.eof:
            raise ConnectionError("the packed answer was cut")
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
