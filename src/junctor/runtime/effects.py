"""Effects of what a resent message asks for: a request that was made once keeps its key when it is made anew.

What a handler had requested before it failed stands, and may have been done. The handler of the resent message makes
the request as a message of its own; with the effect of the first one the other side recognizes it.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import structs

from junctor.core.hop import Delivery, Hop
from junctor.core.origin import PLACE, place_of
from junctor.core.outcome import Draft
from junctor.messages import EFFECT, Message, Status, parse_id
from junctor.transports.base import Record, Transport

Effects = dict[tuple[bytes, str], str]
"""The effect of what was sent at a place, see :func:`junctor.core.origin.place_of`, under the name of its type."""


async def recall(delivery: Delivery, transport: Transport) -> None:
    """Let a delivery know the effects of what was sent for the messages that its own repeats. The latest one counts:
    what it sent has the effects of the ones before it."""
    effects: Effects = {}
    message: Message | None = None if delivery.damaged else delivery.message
    while message is not None and message.repeats:
        record = _original(message, transport)
        if record is not None:
            for place, effect in (await _effects_of(record.message.seq, transport)).items():
                effects.setdefault(place, effect)
        message = record.message if record is not None else None
    delivery.effects = effects or None


def _original(message: Message, transport: Transport) -> Record | None:
    """None where it was removed since, is damaged, or of another node."""
    _, seq = parse_id(message.repeats)
    record = transport.archive.record(seq) if 0 < seq < message.seq else None
    known = record is not None and not record.damaged and record.message.id == message.repeats
    return record if known else None


async def _effects_of(seq: int, transport: Transport) -> Effects:
    """What expired undelivered has no effect; of several at a place the last one counts."""
    found: Effects = {}
    for sent in await transport.sent_by(seq):
        record = transport.archive.record(sent.seq) if sent.status is not Status.EXPIRED else None
        if record is not None and not record.damaged:
            found[sent.origin[:PLACE], record.message.type] = record.message.effect
    return found


def with_effect(hop: Hop, draft: Draft) -> Draft:
    """The draft with the effect of what was sent at its place; as it is where nothing was."""
    known: Mapping[tuple[bytes, str], str] | None = hop.effects
    effect = known.get((place_of(draft.counter, draft.target), draft.type)) if known else None
    if effect is None:
        return draft
    return structs.replace(draft, headers={**(draft.headers or {}), EFFECT: effect})
