"""What expressions look at: the variables of one evaluation, each made when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from junctor.messages import Message, codec

KNOWN = ("body", "headers", "key", "type", "message", "file", "topic", "response", "now")
"""All names that an expression in a setting may look at. Which of them there are depends on the setting."""


class Variables:
    """Names to what makes their values, which are plain data. A value is made once."""

    __slots__ = ("_made", "_makers")

    def __init__(self, makers: Mapping[str, Callable[[], Any]], **made: Any) -> None:
        self._makers = makers
        self._made = made

    def of(self, names: Iterable[str]) -> dict[str, Any]:
        """The named ones.

        :raises KeyError: one is not there.
        """
        made = self._made
        for name in names:
            if name not in made:
                made[name] = self._makers[name]()
        return {name: made[name] for name in names}


def of_message(message: Message, body: Any, **more: Any) -> Variables:
    """``body``, ``headers``, ``key`` and ``type`` of a message; ``message`` with its ``id``, ``session``, ``effect``,
    ``source`` and ``time``, the latter also by itself as ``now``, a timestamp: the same at each attempt.

    :param body: as the handler got it.
    :param more: further variables, as plain data.
    """
    makers: dict[str, Callable[[], Any]] = {
        "body": lambda: codec.to_plain(body),
        "headers": lambda: dict(message.headers or {}),
        "key": lambda: message.key,
        "type": lambda: message.type,
        "message": lambda: {
            "id": message.id,
            "session": message.session_id,
            "effect": message.effect,
            "source": message.source,
            "time": message.sent_at.isoformat(timespec="milliseconds"),
        },
        "now": lambda: message.sent_at,
    }
    return Variables(makers, **more)
