"""What became of the decisions of operators about messages, as commands and clients see it."""

from __future__ import annotations

from datetime import datetime

import msgspec

from junctor.node.views.messages import Reason


class Kin(msgspec.Struct, omit_defaults=True):
    """So many messages that are meant of one service, with the same type and the same error."""

    service: str
    type: str
    count: int
    error: str = ""


class Resent(msgspec.Struct, omit_defaults=True):
    """What came of one message: ``id`` is the new one, empty where none was sent; ``status`` of the new one, or
    ``refused``. ``seconds`` is how long its last attempt took."""

    seq: int
    status: str
    id: str = ""
    seconds: float = 0.0
    error: Reason | None = None


class ResendView(msgspec.Struct):
    """A job. ``state`` is running, done or stopped, then ``reason`` says why.

    Of ``total`` messages ``sent`` were; of these ``handled`` and ``failed`` have come to their end. ``refused`` could
    not be sent; ``skipped`` were dealt with by somebody else meanwhile. ``batch`` counts the batches, ``changes`` what
    has changed in here.
    """

    job: int
    who: str
    services: list[str]
    state: str
    started: datetime
    total: int
    ended: datetime | None = None
    sent: int = 0
    handled: int = 0
    failed: int = 0
    refused: int = 0
    skipped: int = 0
    batch: int = 0
    changes: int = 0
    reason: str = ""
    results: list[Resent] = []

    @property
    def open(self) -> int:
        """Messages that were sent and have not come to their end yet."""
        return self.sent - self.handled - self.failed

    @property
    def well(self) -> bool:
        """Whether all were sent and handled, or dealt with by somebody else."""
        return self.state == "done" and not self.failed and not self.refused


class Preview(msgspec.Struct):
    """What a resend would do. ``kin`` are the messages by service, type and error; ``refused`` could not be sent, of
    these the first ones with the reason. ``obstacles``: why it would not begin at this moment."""

    total: int
    kin: list[Kin]
    refused: int = 0
    refusals: list[Resent] = []
    obstacles: list[str] = []


class Discarded(msgspec.Struct):
    """How many messages were discarded; ``kept`` were not, with the reason."""

    discarded: int
    kept: list[Resent] = []
