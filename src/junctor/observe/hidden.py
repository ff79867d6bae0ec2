"""Texts without the sensitive values of messages: what a handler logs or raises may quote the body that it was given.

The values are those of the messages that a hop received or sent so far; a text is searched for exactly them. A hop
without any costs nothing: it has no :class:`Hidden`.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from junctor.core.hop import Hop
from junctor.errors import HIDES
from junctor.messages import codec
from junctor.messages.sensitive import Path, masked
from junctor.observe.secrets import MASKED, SHORTEST, forms

DIGITS = 6
"""Digits of the shortest number that is masked in texts: shorter ones are years, counts and line numbers."""

_LATEST = 10_000  # forms that a hop knows which may last for days: a stream, a WebSocket
_UNREAD = 100

# pydantic quotes its input, and cuts it: half a value is not found by looking for it.
_QUOTED = re.compile(r"input_value=.*?, input_type=", re.DOTALL)


class Hidden:
    """The sensitive values of some bodies, in all the ways they may be written. A body is read when the first text
    comes after it.

    :param limit: forms that are known at once; the oldest go. For what may last for days.
    """

    __slots__ = ("_bodies", "_forms", "_limit")

    def __init__(self, payload: Any = None, paths: Sequence[Path] = (), limit: int | None = None) -> None:
        self._bodies: list[tuple[Any, Sequence[Path]]] = []
        self._forms: dict[str, None] = {}
        self._limit = limit
        self.add(payload, paths)

    def add(self, payload: Any, paths: Sequence[Path]) -> None:
        """Hide the values of one more body, an object or its encoding, at these paths."""
        if paths:
            self._bodies.append((payload, paths))
            if self._limit is not None and len(self._bodies) > _UNREAD:
                self._read()

    def mask(self, text: str) -> str:
        """The text with ``***`` for each of the values."""
        if self._bodies:
            self._read()
        return _QUOTED.sub(f"input_value={MASKED}, input_type=", without(text, tuple(self._forms)))

    def _read(self) -> None:
        bodies, self._bodies = self._bodies, []
        self._forms |= dict.fromkeys(
            forms_of(value for body in bodies for value in masked(plain(body[0]), body[1]).hidden)
        )
        if self._limit is not None:
            for form in list(self._forms)[: -self._limit]:
                del self._forms[form]


def hide(hop: Hop | None, payload: Any, paths: Sequence[Path]) -> None:
    """Let what is said in a hop not quote the sensitive values of a body, from now on."""
    if hop is not None and paths:
        if hop.hides is None:
            hop.hides = Hidden(limit=None if hop.joins else _LATEST)
        hop.hides.add(payload, paths)


def hide_arguments(hop: Hop, arguments: Mapping[str, Any], sensitive: Mapping[str, Sequence[Path]]) -> None:
    """The same for the arguments of a call, by the names of its parameters."""
    for name, paths in sensitive.items():
        hide(hop, arguments.get(name), paths)


def without_hidden(text: str, hop: Hop | None) -> str:
    """The text without the values that a hop hides."""
    hides: Hidden | None = hop.hides if hop is not None else None
    return text if hides is None else hides.mask(text)


def note_hidden(error: BaseException, hop: Hop | None) -> None:
    """Let an exception that leaves a hop take with it what the hop hides, wherever it is told then."""
    if hop is not None and hop.hides is not None:
        with contextlib.suppress(Exception):  # a class without room for an attribute
            setattr(error, HIDES, hop.hides)


def unquoted(text: str, error: BaseException | None) -> str:
    """A text about an exception, without what the exception hides."""
    hides: Hidden | None = getattr(error, HIDES, None)
    return text if hides is None else hides.mask(text)


def plain(payload: Any) -> Any:
    """A body as JSON values; None where it is damaged."""
    try:
        return msgspec.json.decode(payload if type(payload) is bytes else codec.encode(payload))
    except Exception:  # noqa: BLE001 - what cannot be read is not shown, and quoted by nobody
        return None


def without(text: str, written: Iterable[str]) -> str:
    """The text with ``***`` for each part that one of these forms covers, or several that overlap."""
    parts: list[tuple[int, int]] = []
    for form in written:
        at = text.find(form)
        while at >= 0:
            parts.append((at, at + len(form)))
            at = text.find(form, at + 1)
    if not parts:
        return text
    made, done, end = [], 0, -1
    for begin, stop in sorted(parts):
        if begin > end:
            made += [text[done:begin], MASKED]
        done = end = max(end, stop)
    return "".join([*made, text[done:]])


def forms_of(values: Iterable[Any]) -> set[str]:
    """How these JSON values, and all that is within them, are written in texts: those of at least :data:`SHORTEST`
    characters, numbers of at least :data:`DIGITS` digits."""
    return {form for value in values for leaf in _leaves(value) for form in _forms(leaf)}


def _leaves(value: Any) -> Iterator[Any]:
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.values()
            waiting += value.keys()
        elif isinstance(value, list):
            waiting += value
        else:
            yield value


def _forms(value: Any) -> Iterable[str]:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ()
    if isinstance(value, str):
        lines = value.splitlines() if "\n" in value else ()
        return {form for text in (value, *lines) if len(text) >= SHORTEST for form in forms(text)}
    texts = {str(value), msgspec.json.encode(value).decode(), f"{value:,}"}
    return {text for text in texts if sum(map(str.isdigit, text)) >= DIGITS}
