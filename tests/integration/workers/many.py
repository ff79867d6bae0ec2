"""Counts, in workers that a test kills."""

from __future__ import annotations

from dataclasses import dataclass

from junctor import Service, Target, handler


@dataclass
class Counted:
    key: str
    number: int


@dataclass
class Entry:
    key: str
    number: int


class Counter(Service):
    tally: Target[Entry]

    @handler
    def on(self, counted: Counted) -> None:
        self.tally.send(Entry(counted.key, counted.number))


class Tally(Service):
    @handler
    async def on(self, entry: Entry) -> None: ...
