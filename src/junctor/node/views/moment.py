"""What only a running node knows of its messages: which services are held, what is in hand now and since when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from junctor.core.lifecycle import State
from junctor.node.views.messages import Held, instant, never_held

if TYPE_CHECKING:
    from junctor.runtime.engine import Engine
    from junctor.runtime.host import Host


class InHand(msgspec.Struct, omit_defaults=True):
    """A delivery that runs now: in which handler, since when, for how many seconds. ``waits``: for a reply."""

    handler: str
    since: datetime
    seconds: float
    waits: bool = False


class Moment(msgspec.Struct, frozen=True):
    """A running node at one instant, ``time`` of its clock. ``in_hand`` by the number of the message; ``tries``, how
    many attempts the policy of a service gives a message, by its address."""

    held: Held = never_held
    in_hand: Mapping[int, InHand] = {}
    tries: Mapping[str, int] = {}
    running: bool = False
    time: datetime | None = None


STOPPED = Moment()
"""Of a node that does not run."""


def moment_of(engine: Engine) -> Moment:
    """How it is now. On the loop of the node."""
    now = engine.clock.time_ns()
    hosts = engine.hosts
    held = {address for address, host in hosts.items() if host.lifecycle.state is State.HELD}
    return Moment(
        held=held.__contains__,
        in_hand={seq: found for host in hosts.values() for seq, found in _in_hand(host, now)},
        tries={address: host.spec.policies.retry.attempts for address, host in hosts.items()},
        running=True,
        time=instant(now),
    )


def _in_hand(host: Host, now: int) -> Iterator[tuple[int, InHand]]:
    for slot in host.slots:
        one = slot.delivery
        if one is not None and one.started:
            yield one.seq, InHand(one.name, instant(one.started), (now - one.started) / 1e9, one.waits)
