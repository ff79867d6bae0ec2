"""What a conversation keeps from one delivery to the next: one JSON document, replaced when it changes."""

from __future__ import annotations

from typing import Any

import msgspec

from junctor.messages.sensitive import Path, masked

NOTHING = msgspec.Raw(b"")


class OpenRequest(msgspec.Struct, omit_defaults=True, gc=False):
    """A request that has no end yet. ``name`` is the one under which its end comes back; times in nanoseconds since
    1970, ``until`` 0 where it never times out. ``request`` is its body of ``type``, kept where a callback asks for
    it."""

    name: str
    target: str
    at: int
    until: int = 0
    request: msgspec.Raw = NOTHING
    type: str = ""


class Waiting(msgspec.Struct, omit_defaults=True, frozen=True, gc=False):
    """A message that was passed on and still has to be answered: its number, 0 for none, and its ASKER."""

    seq: int
    asker: str = ""


class OpenTimer(msgspec.Struct, omit_defaults=True, gc=False):
    """A timer that has not run out. ``at`` in nanoseconds since 1970."""

    name: str
    at: int


class Snapshot(msgspec.Struct, omit_defaults=True):
    """The state of a conversation.

    ``attributes`` by name, also those that today's class does not declare. ``steps`` counts requests and timers; the
    open ones are kept by their number. ``handler`` took the message that began it, which is ``owed`` a reply until it
    has ``replied``; ``waiting`` are other messages that get the same reply. ``hides`` are the paths of sensitive values
    in ``attributes``.
    """

    attributes: dict[str, msgspec.Raw] = {}
    requests: dict[int, OpenRequest] = {}
    timers: dict[int, OpenTimer] = {}
    steps: int = 0
    handler: str = ""
    owed: bool = False
    replied: bool = False
    waiting: tuple[Waiting, ...] = ()
    hides: tuple[Path, ...] = ()

    @property
    def due(self) -> int:
        """When the next timer or timeout comes, 0 for none."""
        times = [timer.at for timer in self.timers.values()]
        times += [request.until for request in self.requests.values() if request.until]
        return min(times, default=0)


_decoder = msgspec.json.Decoder(Snapshot)


def read_snapshot(data: bytes | None) -> Snapshot:
    """The snapshot in a run; an empty one where none is kept yet.

    :raises ValueError: it is none.
    """
    return Snapshot() if data is None else _decoder.decode(data)


def write_snapshot(snapshot: Snapshot) -> bytes:
    """The snapshot as JSON."""
    return msgspec.json.encode(snapshot)


def shown_attributes(snapshot: Snapshot) -> dict[str, Any]:
    """The attributes as operators may see them, by name."""
    plain = {name: msgspec.json.decode(raw) for name, raw in snapshot.attributes.items()}
    shown: dict[str, Any] = masked(plain, snapshot.hides).value
    return shown


def masked_snapshot(data: bytes) -> bytes:
    """A snapshot as operators may see it: without sensitive attributes, and without the bodies of requests. What is no
    snapshot stays as it is."""
    try:
        snapshot = read_snapshot(data)
        attributes = {name: msgspec.Raw(msgspec.json.encode(one)) for name, one in shown_attributes(snapshot).items()}
    except ValueError:
        return data
    requests = {step: msgspec.structs.replace(one, request=NOTHING) for step, one in snapshot.requests.items()}
    return write_snapshot(msgspec.structs.replace(snapshot, attributes=attributes, requests=requests))
