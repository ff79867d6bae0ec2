"""The query string, and forms written like one, strictly: every escape is checked, the text is UTF-8, ``;`` is no
separator. Cookies, leniently: browsers send what any site of the machine has set."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from junctor.http.asgi import Headers
from junctor.http.problem import HttpError

MAX_FIELDS = 1000
_BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


def parse_query(query: bytes, what: str = "query") -> dict[str, list[str]]:
    """Names to their values in order; a name without ``=`` has an empty value.

    :param what: what it is, for the errors.
    :raises HttpError: 400 for a bad escape, text that is not UTF-8, or more than :data:`MAX_FIELDS` fields.
    """
    parts = query.split(b"&", MAX_FIELDS)
    if len(parts) > MAX_FIELDS:
        raise HttpError(f"the {what} has more than {MAX_FIELDS} fields", code=what)
    found: dict[str, list[str]] = {}
    try:
        for part in parts:
            if part:
                name, _, value = part.partition(b"=")
                found.setdefault(_text(name, what), []).append(_text(value, what))
    except UnicodeDecodeError:
        raise HttpError(f"the {what} is not UTF-8", code=what, fix=f"Encode the {what} as UTF-8.") from None
    return found


def _text(raw: bytes, what: str) -> str:
    if b"+" in raw:
        raw = raw.replace(b"+", b" ")
    if b"%" in raw:
        if _BAD_ESCAPE.search(raw):
            raise HttpError(f"the {what} holds a % that is not followed by two hexadecimal digits", code=what)
        raw = unquote_to_bytes(raw)
    return raw.decode()


def parse_cookies(headers: Headers) -> dict[str, list[str]]:
    """Names to values; of two cookies with one name the first counts, which is the one of the longer path."""
    found: dict[str, list[str]] = {}
    for key, value in headers:
        if key == b"cookie":
            for part in value.decode("latin-1").split(";", MAX_FIELDS):
                name, equals, text = part.partition("=")
                if equals:
                    text = text.strip()
                    quoted = len(text) > 1 and text[0] == text[-1] == '"'
                    found.setdefault(name.strip(), [text[1:-1] if quoted else text])
    return found
