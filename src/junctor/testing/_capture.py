"""A session of a node that runs elsewhere, replayed against the code here: no node, no network, virtual time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from junctor.node.capture.file import Capture, CapturedHop, read_capture
from junctor.testing._errors import told_short

if TYPE_CHECKING:
    from junctor.testing._stage import Testable

__tracebackhide__ = True  # of pytest: a failure is shown where the test is


class SentMessage(msgspec.Struct):
    """Something that was sent, asked or published in a replay: ``target`` is an address, ``body`` its JSON values.
    ``recorded``: the recording has it too, or an answer for it."""

    target: str
    type: str
    kind: str
    body: Any
    recorded: bool = True


class ReplayedHop(msgspec.Struct):
    """One delivery: the recorded hop, and what the code does with it now.

    ``body`` is what the handler got. ``error`` is ``Type: text`` of what it raised, None where it came to its end.
    ``reply`` is what it returned to a request, as JSON values. ``differences`` from the recording, in sentences.
    """

    recorded: CapturedHop
    body: Any = None
    error: str | None = None
    traceback: str = ""
    sends: list[SentMessage] = []
    reply: Any = None
    logs: list[str] = []
    differences: list[str] = []


class Replay(msgspec.Struct):
    """What :func:`replay` answers: a hop for each delivery, in the order in which they were handled."""

    hops: list[ReplayedHop]

    @property
    def differences(self) -> list[str]:
        """Of all hops, each with the number and the type of its message; empty when all went as recorded."""
        return [
            f"message {hop.recorded.number} ({hop.recorded.type}): {difference}"
            for hop in self.hops
            for difference in hop.differences
        ]

    def __str__(self) -> str:
        count = f"{len(self.hops)} {'delivery' if len(self.hops) == 1 else 'deliveries'}"
        return "\n".join([f"{count} replayed, {len(self.differences)} differences", *self.differences])


def load_capture(path: str | Path) -> Capture:
    """The session in a file that `junctor capture` wrote.

    :raises CaptureUnusable: the file cannot be read, is no capture, was cut off, or is of a newer version.
    """
    return read_capture(Path(path))


@told_short
async def replay(
    capture: Capture,
    subject: Testable,
    *,
    service: str | None = None,
    state: Mapping[str | tuple[str, str], Any] | None = None,
    fill: Mapping[str, Any] | None = None,
    ignore: Collection[str] = (),
    patience: float = 5.0,
) -> Replay:
    """Give every recorded delivery of one service to its code as it is here, one after the other.

    Its clock shows the time of the recording. Its requests get the recorded replies, with the recorded delays, found by
    target, type and order; a request that the recording does not have fails and says so. What it sends goes nowhere and
    is compared. Each delivery has one attempt, and what it raises is kept. Schedules, routes and ``loop()`` do not run;
    ``on_start`` does.

    :param subject: the class, an object like ``Orders(limit=5)``, a module, or a flow with the service. A class gets
        the recorded settings.
    :param service: its name in the capture, or ``flow/service``; by default the one with this name.
    :param state: what it has stored before: ``{"count": 3}``, with a key ``{("anna", "count"): 3}``.
    :param fill: values for masked fields: ``{"Payment.card": "4111"}``.
    :param ignore: fields that are not compared: ``"made_at"``, or of one type ``"Receipt.made_at"``; ``"reply"`` for
        all of a reply.
    :param patience: seconds of real time that code may take to come to rest.
    :raises ConfigurationError: the capture has no such service, or the code cannot be run.
    :raises DecodeError: a recorded body does not fit the type that its handler takes now; the text has the field.
    """
    from junctor.testing._replay import replayed

    return await replayed(capture, subject, service, state or {}, fill or {}, frozenset(ignore), patience)
