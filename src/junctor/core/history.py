"""The history of a workflow: what came to a run in each turn, and what its code did then, as JSON.

A run is rebuilt by giving its code the same inputs in the same order. What the code does is compared with what it did
at first, call by call: this is how Temporal keeps its workflows, and a history that the code does not follow any more
must not be gone on with. Nothing in it depends on the version of Python.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, Literal

import msgspec

from junctor.messages.codec import to_plain
from junctor.messages.sensitive import Path

VERSION = 1

MAX_TURNS = 50_000
"""Turns of one run. Beyond, a replay takes longer than a delivery should."""

MAX_STEPS = 100_000
"""Calls in one turn. They are in memory until it is committed: a loop without an end would take all of it."""

LONG = 10_000
"""From this number of turns on, a run is told to be long."""

NULL = msgspec.Raw(b"null")

What = Literal["request", "send", "publish", "broadcast", "sleep", "wait", "once"]
Came = Literal["begin", "reply", "timer", "signal", "cancel", "terminate"]
End = Literal["", "done", "failed", "cancelled", "continued"]


class Command(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """One call by which a run does something. ``step`` counts them from 1.

    ``to`` is the target, ``type`` and ``digest`` name the body, ``wait`` is a time in nanoseconds: that of a sleep, or
    after which a request or a wait is given up. ``value`` is the result of a block that is done once, ``hidden`` where
    in it sensitive values are, ``error`` and ``text`` the class and text of what it raised instead.
    """

    step: int
    what: What
    to: str = ""
    type: str = ""
    digest: str = ""
    wait: int = 0
    value: msgspec.Raw = NULL
    hidden: tuple[Path, ...] = ()
    error: str = ""
    text: str = ""

    def same(self, other: Command) -> bool:
        """Whether it is the same call. What came of it does not count."""
        mine = (self.what, self.to, self.type, self.digest, self.wait)
        return mine == (other.what, other.to, other.type, other.digest, other.wait)

    def __str__(self) -> str:
        return " ".join(_words(self))


class Input(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """What came to a run and made a turn.

    ``name`` is the handler or signal; ``step`` what a reply or timer ends; ``ended`` how a request did: done, parked,
    expired. ``type``, ``version`` and ``body`` are those of the message. At the begin, ``seed`` is the id of the
    message, and ``first`` the number of the run that began all, where this one carries it on, ``session`` that of it.
    What is terminated ends without its code.
    """

    came: Came
    name: str = ""
    step: int = 0
    ended: str = ""
    type: str = ""
    version: int = 1
    body: msgspec.Raw = NULL
    seed: str = ""
    first: int = 0
    session: str = ""


class Entry(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """The data of a turn: what came, and what the code did until it waited again, or until its ``end``."""

    v: int
    input: Input
    did: tuple[Command, ...] = ()
    end: End = ""


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Entry)
# Sets and mappings have no order of their own: a set of texts has another one in each process.
_ordered = msgspec.json.Encoder(order="deterministic", enc_hook=to_plain)


def write_entry(entry: Entry) -> bytes:
    return _encoder.encode(entry)


def read_entry(data: bytes) -> Entry:
    """The data of a turn.

    :raises ValueError: it is none, or of a later version.
    """
    entry = _decoder.decode(data)
    if entry.v > VERSION:
        raise ValueError(f"it has the form {entry.v}, and this Junctor reads up to {VERSION}")
    return entry


def digest(body: Any) -> str:
    """A name for the content of a body, the same in each process."""
    return blake2b(_ordered.encode(body), digest_size=8).hexdigest()


def difference(step: int, recorded: Command | None, made: Command | str) -> str:
    """How history and code part at a step.

    :param made: the call, or what the code does instead of one: ``waits``, ``returns``.
    """
    if recorded is None:
        return f"step {step}: history has nothing more in this turn, the code now makes {made}"
    if isinstance(made, str):
        return f"step {step}: history has {recorded}, the code now {made}"
    text = f"step {step}: history has {recorded}, the code now makes {made}"
    return f"{text} with another body" if str(recorded) == str(made) else text


def _words(command: Command) -> list[str]:
    words: list[str] = [command.what]
    if command.type:
        words.append(command.type)
    if command.to:
        words += ["to", command.to]
    if command.wait:
        words += [] if command.what == "sleep" else ["within"]
        words.append(span(command.wait))
    return words


_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def span(nanoseconds: int) -> str:
    """A time in its largest whole unit: ``1 d``, ``90 s``."""
    seconds = nanoseconds / 1e9
    for size, unit in _UNITS:
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"
