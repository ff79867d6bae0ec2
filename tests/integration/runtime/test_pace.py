"""A tick that repeats does not run ahead of those that it sends to."""

from __future__ import annotations

from pathlib import Path

from junctor import Flow, Service, Target, every, handler
from junctor.testing import running

PORTION = 100


class Source(Service):
    """Sends portions, and notes how much of the earlier ones was not handled yet."""

    out: Target[int]
    sent = 0
    behind: list[int] = []

    @every("1s", repeats=True)
    def look(self) -> bool:
        Source.behind.append(Source.sent - len(Sink.got))
        if Source.sent >= 10 * PORTION:
            return False
        for number in range(PORTION):
            self.out.send(Source.sent + number)
        Source.sent += PORTION
        return True


class Sink(Service):
    pause = 0.005
    got: list[int] = []

    @handler
    async def take(self, number: int) -> None:
        await self.sleep(self.pause)
        Sink.got.append(number)


def flow(pause: float) -> Flow:
    Source.sent, Source.behind, Sink.got, Sink.pause = 0, [], [], pause
    return Flow("f").add(Source(), "source", connect={"out": "sink"}).add(Sink(), "sink")


def test_the_next_portion_waits_for_the_receiver(tmp_path: Path) -> None:
    with running(flow(0.005), store=tmp_path) as plant:
        plant.advance("9s")
        assert len(Sink.got) == 10 * PORTION
        assert max(Source.behind) <= 16


def test_it_waits_no_longer_than_its_interval(tmp_path: Path) -> None:
    """What the receiver cannot take waits in its queue: the source is looked at in its rhythm at least."""
    with running(flow(0.05), store=tmp_path) as plant:
        plant.advance("11s")
        assert Source.sent == 10 * PORTION
        plant.advance("1m")
        assert Sink.got == list(range(10 * PORTION))
