"""What every message can do, whatever it is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from junctor.messages import codec

ID = "_iris_id"
"""The attribute of a received message with its id. No field and no extra attribute: it never travels."""


class MessageBody:
    """Base of all messages of the dialect."""

    def get_iris_id(self) -> str | None:
        """The id under which the message is stored; None for one that was made here and not received."""
        found = vars(self).get(ID)
        return found if isinstance(found, str) else None

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """The message as a WSGI application that answers its JSON: a view of Flask can return it."""
        data = msgspec.json.encode(codec.to_plain(self))
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(data)))])
        return [data]


def identify(body: Any, id: str) -> None:
    """Let a received message know the id under which it is stored."""
    object.__getattribute__(body, "__dict__")[ID] = id
