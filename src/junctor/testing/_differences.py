"""How a replay differs from its recording, in sentences."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from junctor.messages import codec
from junctor.testing._recording import Delivery, at_place, with_value

if TYPE_CHECKING:
    from junctor.testing._capture import ReplayedHop, SentMessage

MOST = 8
"""Fields of one body that are told."""

_WIDTH = 120


def differences_of(hop: ReplayedHop, delivery: Delivery, ignored: Collection[str]) -> list[str]:
    """What was otherwise than recorded: the outcome, the reply, what was sent."""
    return [*_outcome(hop, delivery), *_reply(hop, delivery, ignored), *_sends(hop, delivery, ignored)]


def _outcome(hop: ReplayedHop, delivery: Delivery) -> Iterator[str]:
    recorded = delivery.hop
    error = recorded.error if recorded.status in ("parked", "failed", "resent", "discarded") else None
    was = f"{error.type}: {error.text}" if error is not None else None
    if was != hop.error and not (was is None and recorded.status not in ("done", "parked", "failed")):
        yield f"outcome: recorded {_ended(was)}, now {_ended(hop.error)}"


def _ended(error: str | None) -> str:
    return "done" if error is None else f"failed with {_short(error)}"


def _reply(hop: ReplayedHop, delivery: Delivery, ignored: Collection[str]) -> Iterator[str]:
    recorded = delivery.hop.reply
    if delivery.hop.kind != "request" or delivery.hop.status != "done" or hop.error is not None:
        return
    if "reply" in ignored:
        return
    was = recorded.body if recorded is not None else None
    name = recorded.type if recorded is not None else "any"
    yield from _bodies("reply", name, was, hop.reply, recorded.masked if recorded is not None else [], ignored)


def _sends(hop: ReplayedHop, delivery: Delivery, ignored: Collection[str]) -> Iterator[str]:
    """Messages to the same target of the same type belong together in their order; the order between targets is not
    compared, for handlers that ask several at once have none."""
    now: dict[tuple[str, str], list[SentMessage]] = {}
    for sent in hop.sends:
        now.setdefault((sent.target, sent.type), []).append(sent)
    for recorded in delivery.effects:
        same = now.get((recorded.target, recorded.type))
        what = f"{recorded.type} to {recorded.target}"
        if not same:
            yield f"{what}: recorded {_json(recorded.body)}, now not sent"
            continue
        sent = same.pop(0)
        if sent.kind != recorded.kind:
            yield f"{what}: recorded as {recorded.kind}, now as {sent.kind}"
        yield from _bodies(what, recorded.type, recorded.body, sent.body, recorded.masked, ignored)
    for (target, kind), rest in now.items():
        for sent in rest:
            recorded_too = "" if sent.recorded else ", and the recording has no answer for it"
            yield f"{kind} to {target}: not recorded, now sent {_json(sent.body)}{recorded_too}"


def _bodies(
    what: str, type: str, recorded: Any, now: Any, masked: Sequence[str], ignored: Collection[str]
) -> Iterator[str]:
    plain = codec.to_plain(now)
    for place in masked:  # nobody knows what stood there: it is taken for the same
        path = place.split(".")
        if at_place(plain, path) is not None:
            plain = with_value(plain, path, at_place(recorded, path))
    found = list(_fields(recorded, plain, "", type, ignored))
    if not found:
        return
    more = f"; and {len(found) - MOST} more" if len(found) > MOST else ""
    hidden = f" (masked, not compared: {', '.join(masked)})" if masked else ""
    yield f"{what}: {'; '.join(found[:MOST])}{more}{hidden}"


def _fields(recorded: Any, now: Any, path: str, type: str, ignored: Collection[str]) -> Iterator[str]:
    if path in ignored or f"{type}.{path}" in ignored:
        return
    if isinstance(recorded, dict) and isinstance(now, dict):
        for name in dict.fromkeys([*recorded, *now]):
            inner = f"{path}.{name}" if path else str(name)
            yield from _fields(recorded.get(name, _ABSENT), now.get(name, _ABSENT), inner, type, ignored)
    elif isinstance(recorded, list) and isinstance(now, list) and len(recorded) == len(now):
        for place, (one, other) in enumerate(zip(recorded, now, strict=True)):
            yield from _fields(one, other, f"{path}.{place}" if path else str(place), type, ignored)
    elif recorded != now or isinstance(recorded, bool) != isinstance(now, bool):
        yield f"{path}{': ' if path else ''}recorded {_json(recorded)}, now {_json(now)}"


class _Absent:
    def __repr__(self) -> str:
        return "nothing"


_ABSENT = _Absent()


def _json(value: Any) -> str:
    if value is _ABSENT:
        return repr(value)
    return _short(msgspec.json.encode(codec.to_plain(value)).decode())


def _short(text: str) -> str:
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"
