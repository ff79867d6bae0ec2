"""What a process uses while it runs for long: memory, descriptors, threads, and the slope of each."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from junctor import connect
from junctor.errors import JunctorError, QueueFull, StoreFull
from tests.crash.node.drivers.steady import Numbered

MOST_SAMPLES = 400


@dataclass(frozen=True)
class Sample:
    """``memory`` in bytes, resident."""

    time: float
    memory: int
    descriptors: int
    threads: int
    log: int


def sample(pid: int, store: Path) -> Sample:
    """What the process uses now. ``log`` is the size of the log of the database."""
    process = Path(f"/proc/{pid}")
    status = dict(line.partition(":")[::2] for line in (process / "status").read_text().splitlines())
    wal = store / "junctor.db-wal"
    return Sample(
        time.monotonic(),
        int(status["VmRSS"].split()[0]) * 1024,
        len(os.listdir(process / "fd")),
        int(status["Threads"]),
        wal.stat().st_size if wal.exists() else 0,
    )


def slope(points: Sequence[tuple[float, float]]) -> float:
    """By Theil and Sen: the median of the slopes between all pairs. A few wild points do not turn it."""
    thinned = points[:: max(1, len(points) // MOST_SAMPLES)]
    found = [
        (later[1] - former[1]) / (later[0] - former[0])
        for number, former in enumerate(thinned)
        for later in thinned[number + 1 :]
    ]
    return median(found) if found else 0.0


@dataclass
class Gauge:
    """Samples of one process, taken by hand.

    :param warm_up: the seconds at the beginning that do not count.
    """

    pid: int
    store: Path
    warm_up: float
    samples: list[Sample] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def take(self) -> None:
        self.samples.append(sample(self.pid, self.store))

    @property
    def warm(self) -> list[Sample]:
        return [each for each in self.samples if each.time - self.began >= self.warm_up]

    def slope_of(self, name: str) -> float:
        """Of an attribute of the samples, an hour."""
        return slope([(each.time, getattr(each, name)) for each in self.warm]) * 3600

    def __str__(self) -> str:
        warm = self.warm
        lows_and_highs = (
            f"{name} {min(values)}..{max(values)}"
            for name in ("descriptors", "threads")
            for values in [[getattr(each, name) for each in warm]]
        )
        return (
            f"memory {warm[0].memory / 1e6:.1f} to {warm[-1].memory / 1e6:.1f} MB, most"
            f" {max(each.memory for each in warm) / 1e6:.1f}, slope {self.slope_of('memory') / 1e6:+.2f} MB/h;"
            f" {', '.join(lows_and_highs)}; log at most {max(each.log for each in warm) / 1e6:.0f} MB"
        )


class Steady(threading.Thread):
    """Sends numbered orders of one line at a rate, each until it is told, and none twice.

    :param rate: messages a second; 0 is as fast as it goes.
    :param mode: gives the mode of each.
    """

    def __init__(self, store: Path, line: str, rate: float, mode: Callable[[], str] = lambda: "plain") -> None:
        super().__init__(name=f"steady-{line}")
        self.line = line
        self.number = 0
        self.refused = 0
        self.error: BaseException | None = None
        self.quit = threading.Event()
        self._store = store
        self._rate = rate
        self._mode = mode

    def run(self) -> None:
        try:
            while not self.quit.is_set():
                try:
                    with connect(self._store) as client:
                        self._send(client)
                except JunctorError:
                    time.sleep(0.02)
        except BaseException as error:
            self.error = error

    def _send(self, client: object) -> None:
        begin, sent = time.monotonic(), 0
        while not self.quit.is_set():
            self._one(client)
            sent += 1
            if self._rate:
                ahead = begin + sent / self._rate - time.monotonic()
                if ahead > 0:
                    self.quit.wait(ahead)
                elif ahead < -5:
                    begin, sent = time.monotonic(), 0  # what a stopped node did not take is not made up for

    def _one(self, client: object) -> None:
        number = self.number + 1
        order = {"line": self.line, "number": number, "mode": self._mode()}
        try:
            client.send("take", order, type=Numbered.__name__, idempotency_key=f"{self.line}-{number}")  # type: ignore[attr-defined]
        except (QueueFull, StoreFull):
            self.refused += 1
            return
        self.number = number
