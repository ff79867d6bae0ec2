"""What there is to say of a hop in a few words: what became of it, how long it took, which try it was."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from junctor.node.views.words import clock, duration, safe, short

if TYPE_CHECKING:
    from junctor.node.sequence.model import Tone
    from junctor.node.views.trace import Hop, Trace

_TONES: dict[str, Tone] = {
    "done": "good",
    "parked": "bad",
    "failed": "bad",
    "expired": "bad",
    "claimed": "runs",
    "ready": "waits",
    "waiting": "waits",
    "held": "waits",
    "resent": "waits",
    "discarded": "plain",
}


def mark_of(hop: Hop, trace: Trace) -> str:
    """What became of it, or where it is now."""
    status = hop.message.status
    if status != "claimed":
        return status
    if hop.in_hand is None:
        return status if trace.running else "was in hand when the node ended"
    waits = ", waits for a reply" if hop.in_hand.waits else ""
    return f"in flight for {duration(hop.in_hand.seconds)} in {hop.in_hand.handler}{waits}"


def tone_of(hop: Hop) -> Tone:
    return _TONES.get(hop.message.status, "plain")


def facts_of(hop: Hop) -> tuple[str, ...]:
    """The rest in short, the most important first."""
    return tuple(_facts(hop))


def _facts(hop: Hop) -> Iterator[str]:
    message = hop.message
    if message.damaged:
        yield "damaged"
    if message.seconds and message.status not in ("ready", "waiting", "held", "claimed"):
        yield duration(message.seconds)
    if message.attempt > 1 or (message.attempt and hop.attempts):
        yield tried(message.attempt, hop)
    if message.due is not None and message.status in ("waiting", "held"):
        yield f"due {clock(message.due)}"
    if hop.in_hand is not None:
        yield f"since {clock(hop.in_hand.since)}"
    if message.deadline is not None and message.status == "expired":
        yield f"deadline {clock(message.deadline)}"
    if message.resend_of:
        yield f"resend of {message.resend_of.rpartition('-')[2]}"
    if message.key is not None:
        yield f"key {short(message.key, 40)}"


def tried(number: int, hop: Hop) -> str:
    """``try 2 of 5``, as far as it is known of how many."""
    return f"try {number} of {hop.tries}" if hop.tries >= number else f"try {number}"


def error_of(hop: Hop) -> str:
    """The error of the last try, where no failed try tells it already."""
    error = hop.message.error
    if error is None or any(attempt.error.text == error.text for attempt in hop.attempts):
        return ""
    return f"{error.type}: {error.text}"


def remarks_of(hop: Hop) -> Iterator[tuple[str, str]]:
    """Where the error was raised, then what was logged, then what operators said."""
    error = hop.message.error
    if error is not None and error.line and error_of(hop):
        yield "error", error.line
    for log in hop.logs:
        if not log.logger.startswith("junctor."):  # what the engine itself logs is in the tries
            yield "log", f"{log.level.lower()}: {safe(log.text)}"
    for note in hop.notes:
        yield "note", f"{note.who or 'somebody'}, {clock(note.time)}: {safe(note.text)}"
