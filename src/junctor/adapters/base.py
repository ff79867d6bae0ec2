"""What adapters have in common: which side they stand on, what an outage is to them, what they need installed.

An inbound adapter brings messages into the flow. Its cursor is in ``self.state``, which is committed together with the
messages that were sent, or not at all; the source is acknowledged afterwards: by the next look, or after the awaiting
of a send. So a kill loses nothing, and repeats at most what was not acknowledged.

An outbound adapter is a handler. What it does outside carries ``self.message.effect``, which is the same at each
attempt, after a kill, and when an operator sends the message again.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from junctor.core.policy import Policies, Reaction, RetryPolicy, Waits
from junctor.errors import MissingExtra
from junctor.services import Service, Target, every
from junctor.settings import Duration, setting

OUTAGES: Mapping[str, Reaction | Waits] = {
    "ConnectionError": "hold",
    "TimeoutError": "hold",
    "socket.gaierror": "hold",
    "ssl.SSLError": "hold",
}
"""What means that the other side is away, for every adapter."""


class Adapter(Service):
    """An adapter: a service that is configured, not written. See :class:`Inbound` and :class:`Outbound`.

    ``side`` says where it stands: ``in`` and ``out`` at the edges, ``inside`` between services. ``extra`` is the extra
    of the distribution that it needs, with the modules that this installs.
    """

    side: ClassVar[Literal["in", "out", "inside"]] = "inside"
    extra: ClassVar[str] = ""
    needs: ClassVar[tuple[str, ...]] = ()

    __junctor_policies__ = Policies(retry=RetryPolicy(on=OUTAGES))

    def check_settings(self) -> None:
        """Refuse to be used without the packages that it needs; what overrides it calls it first.

        :raises MissingExtra: one is not installed.
        """
        missing = missing_modules(self.needs)
        if missing:
            raise MissingExtra(
                f"it needs the package {missing[0]}",
                where=self.name,
                fix=f'Install it: pip install "{self._wanted()}".',
            )

    @classmethod
    def _wanted(cls) -> str:
        from junctor.flows.adapters import distribution_of  # a worker that lacks nothing does without flows

        return f"{distribution_of(cls) or 'junctor'}[{cls.extra}]" if cls.extra else " ".join(cls.needs)

    def count(self, what: str, amount: int = 1) -> None:
        """Count something for the metrics: ``junctor_service_counts_total{what="lines"}``."""
        self.__junctor__.port.count(what, amount)

    def reached(self) -> None:
        """Say that the other side is there, in a ``loop`` that keeps a connection: an outage is over at once."""
        self.__junctor__.port.reached()


class Inbound(Adapter):
    """An adapter that looks for something and sends it: override :meth:`poll`. One that is called from outside, or
    keeps a connection, overrides ``loop`` instead and acknowledges what it has sent after awaiting the send::

        class Mailbox(Inbound):
            folder: Path = setting(doc="Where letters arrive")

            def poll(self) -> bool:
                if done := self.state.pop("done", None):        # committed by an earlier look
                    (self.folder / done).unlink(missing_ok=True)
                letter = next(self.folder.iterdir(), None)
                if letter is None:
                    return False
                self.out.send({"text": letter.read_text()})
                self.state["done"] = letter.name
                return True
    """

    side = "in"

    out: Target[Any]
    interval: Duration = setting(
        "1s", gt=0, doc="Time between two looks at the source, when the last one found nothing"
    )

    @every(interval, repeats=True)
    def poll(self) -> Any:
        """Look once: send what is new to ``out``, and keep in ``self.state`` how far it is. Both are committed
        together when it returns, or neither. As ``def`` it may block; ``async def`` runs on the node's loop.

        :return: True to be called again at once.
        """
        return False


class Outbound(Adapter):
    """An adapter that takes messages out of the flow: a class with a ``@handler``."""

    side = "out"


def missing_modules(names: tuple[str, ...]) -> list[str]:
    """Those that cannot be imported."""
    return [name for name in names if importlib.util.find_spec(name) is None]
