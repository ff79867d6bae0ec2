"""Values that must not show: what operators see is masked here, whichever way a secret came into it.

A service gets its secret settings as plain text, so any library may put one into an exception or a log line. The values
are known from the moment the service is built; from then on :func:`mask` writes ``***`` in their place.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

MASKED = "***"
SHORTEST = 4
"""Characters of the shortest value that is masked: shorter ones are in half of all words."""

_lock = threading.Lock()
_known: set[str] = set()
_pattern: re.Pattern[str] | None = None


def register(values: Iterable[str]) -> None:
    """Mask these values from now on, also as Python, JSON and addresses write them."""
    global _pattern
    written = {form for value in values if len(value) >= SHORTEST for form in forms(value)}
    with _lock:
        if not written <= _known:
            _known.update(written)
            longest_first = sorted(_known, key=len, reverse=True)
            _pattern = re.compile("|".join(map(re.escape, longest_first)))


def mask(text: str) -> str:
    """The text without any value that was registered."""
    return text if _pattern is None else _pattern.sub(MASKED, text)


def forms(value: str) -> tuple[str, ...]:
    """A value as it stands in texts: as it is, and as Python, JSON and addresses write it."""
    as_address = value.encode("utf-8", "backslashreplace")
    as_json = json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]
    return value, repr(value)[1:-1], *as_json, quote(as_address, safe=""), quote_plus(as_address)
