"""The query string, strictly: every escape is checked, the text is UTF-8, ``;`` is no separator."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from junctor.http.problem import HttpError

MAX_FIELDS = 1000
_BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


def parse_query(query: bytes) -> dict[str, list[str]]:
    """Names to their values in order; a name without ``=`` has an empty value.

    :raises HttpError: 400 for a bad escape, text that is not UTF-8, or more than :data:`MAX_FIELDS` fields.
    """
    parts = query.split(b"&", MAX_FIELDS)
    if len(parts) > MAX_FIELDS:
        raise HttpError(f"the query has more than {MAX_FIELDS} fields", code="query")
    found: dict[str, list[str]] = {}
    try:
        for part in parts:
            if part:
                name, _, value = part.partition(b"=")
                found.setdefault(_text(name), []).append(_text(value))
    except UnicodeDecodeError:
        raise HttpError("the query is not UTF-8", code="query", fix="Encode the query as UTF-8.") from None
    return found


def _text(raw: bytes) -> str:
    if b"+" in raw:
        raw = raw.replace(b"+", b" ")
    if b"%" in raw:
        if _BAD_ESCAPE.search(raw):
            raise HttpError("the query holds a % that is not followed by two hexadecimal digits", code="query")
        raw = unquote_to_bytes(raw)
    return raw.decode()
