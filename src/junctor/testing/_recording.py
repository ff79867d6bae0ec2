"""What a capture recorded of one service: its deliveries in order, with what each sent, asked and got answered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec

from junctor.core.spec import service_address
from junctor.errors import ConfigurationError, nearest
from junctor.messages import HANDLER, RESEND_OF
from junctor.node.capture.file import Capture, CapturedHop, CapturedReply, CapturedService

DELIVERED = ("send", "request", "event")
"""Kinds of messages that a handler gets. Ticks, routes and actions have no recorded input."""

ANSWERED = ("done", "parked", "expired", "failed", "resent", "discarded")


class Delivery:
    """A message that was handled: the recorded hop, and its own effects that no replay has met yet."""

    def __init__(self, hop: CapturedHop, effects: Iterable[CapturedHop]) -> None:
        self.hop = hop
        self.effects = list(effects)
        self._asked = [effect for effect in self.effects if effect.kind == "request"]

    @property
    def at(self) -> datetime:
        """When its last attempt began."""
        return self.hop.began or self.hop.time

    def answer(self, target: str, type: str, body: Any) -> CapturedHop | None:
        """The recorded request that this one is: to the same target, of the same type, the same body first, then in
        order. Each is taken once; None where none is left."""
        fitting = [asked for asked in self._asked if (asked.target, asked.type) == (target, type)]
        found = next((asked for asked in fitting if asked.body == body), fitting[0] if fitting else None)
        if found is not None:
            self._asked.remove(found)
        return found


class Recording:
    """One service of a capture.

    :param service: its name, or ``flow/service``.
    :raises ConfigurationError: the capture has no such service, or several, or no delivery of it.
    """

    def __init__(self, capture: Capture, service: str, filled: Mapping[str, Any]) -> None:
        self.capture = capture
        self.address = _address(capture, service)
        self.flow, _, self.service = self.address.rpartition("/")
        self._hops = [_filled(hop, filled) for hop in capture.hops]
        self.deliveries = list(self._deliveries())
        if not self.deliveries:
            raise ConfigurationError(
                f"the capture has no delivery to {self.address} that was handled",
                where="replay()",
                fix="Only messages are replayed, and only those that a handler got: ticks and routes have no input.",
            )

    def _deliveries(self) -> Iterator[Delivery]:
        handled = [
            hop
            for hop in self._hops
            if hop.target == self.address and hop.kind in DELIVERED and hop.began is not None and not hop.damaged
        ]
        for hop in sorted(handled, key=lambda hop: (hop.began, hop.number)):
            effects = (one for one in self._hops if self._sent_by(hop, one))
            yield Delivery(hop, sorted(effects, key=lambda one: one.number))

    def _sent_by(self, hop: CapturedHop, other: CapturedHop) -> bool:
        """Whether a delivery sent a message: an operator who sent it again did not."""
        return other.cause == hop.number and other.source == self.address and RESEND_OF not in other.headers

    @property
    def facts(self) -> CapturedService | None:
        """What the capture says of the service itself; None where its node was down."""
        return next((one for one in self.capture.services if one.address == self.address), None)

    @property
    def peers(self) -> dict[str, set[str]]:
        """Where it sent to, with the types of what was published there."""
        found: dict[str, set[str]] = {}
        for hop in self._hops:
            if hop.source == self.address and hop.target != self.address:
                events = found.setdefault(hop.target, set())
                if hop.kind == "event":
                    events.add(hop.type)
        for ways in (self.facts.connections if self.facts is not None else {}).values():
            for way in ways:
                found.setdefault(way.to if "/" in way.to else service_address(self.flow, way.to), set())
        found.pop(self.address, None)
        return found

    def handlers_at(self, address: str) -> list[str]:
        """The handlers there that messages were for by name."""
        named = (one.headers.get(HANDLER, "") for one in self._hops if one.target == address)
        return [name for name in dict.fromkeys(named) if name and name != "any"]

    def led_to(self, type: str) -> list[str]:
        """The addresses that messages of a type went to."""
        return list(dict.fromkeys(one.target for one in self._hops if one.source == self.address and one.type == type))


def _address(capture: Capture, service: str) -> str:
    known = list(dict.fromkeys(hop.target for hop in capture.hops if hop.kind in DELIVERED))
    found = [address for address in known if service in (address, address.rpartition("/")[2])]
    if len(found) == 1:
        return found[0]
    if found:
        raise ConfigurationError(
            f'several flows of the capture have a service "{service}"',
            where="replay()",
            fix=f"Give one of {', '.join(found)}.",
        )
    names = known if "/" in service else {address.rpartition("/")[2] for address in known}
    raise ConfigurationError(
        f'nothing in the capture went to a service "{service}"',
        where="replay()",
        fix=nearest(service, names).strip() or None,
    )


def _filled(hop: CapturedHop, values: Mapping[str, Any]) -> CapturedHop:
    """The hop with values in the place of masked ones."""
    reply = hop.reply
    if reply is not None:
        reply = msgspec.structs.replace(reply, body=_put(reply.type, reply.body, reply.masked, values))
    return msgspec.structs.replace(hop, body=_put(hop.type, hop.body, hop.masked, values), reply=reply)


def _put(type: str, body: Any, masked: Iterable[str], values: Mapping[str, Any]) -> Any:
    for place in masked:
        name = f"{type}.{place}"
        if name in values:
            body = with_value(body, place.split("."), values[name])
    return body


def with_value(body: Any, path: list[str], value: Any) -> Any:
    """JSON values with another one at a place; as they are where the place is not there."""
    if not path or path == ["body"]:
        return value
    step, *rest = path
    if isinstance(body, dict) and step in body:
        return {**body, step: with_value(body[step], rest, value)}
    if isinstance(body, list) and step.isdigit() and int(step) < len(body):
        place = int(step)
        return [*body[:place], with_value(body[place], rest, value), *body[place + 1 :]]
    return body


def at_place(body: Any, path: list[str]) -> Any:
    """The value at a place; None where it is not there."""
    if not path or path == ["body"]:
        return body
    step, *rest = path
    if isinstance(body, dict):
        return at_place(body.get(step), rest)
    if isinstance(body, list) and step.isdigit() and int(step) < len(body):
        return at_place(body[int(step)], rest)
    return None


def in_time(reply: CapturedReply | None, asked: CapturedHop) -> bool:
    """Whether a request was answered before its requester gave up."""
    if asked.status not in ANSWERED or asked.status == "expired":
        return False
    return reply is None or not reply.late


__all__ = ("Delivery", "Recording", "at_place", "in_time", "with_value")
