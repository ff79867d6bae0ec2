"""Bits that flip on the disk, in the database and in its log, and a log that loses its end: nothing is delivered with
another content, and nothing goes missing without a word."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from junctor.testing.transports import Bench, SqliteSite
from tests.crash.campaigns import Campaign, cycles
from tests.crash.history import Faults
from tests.crash.seeds import repeat, seed_of_this_run
from tests.crash.stock import View, owners, silent, stock, view

pytestmark = pytest.mark.crash

QUEUE = ("hop", "hop_queue", "hop_line", "hop_timer", "hop_ended")
"""The table that says what is owed to whom, and its indexes."""

Damage = Callable[[dict[str, bytearray]], str]
"""Harms the files of a store, by name, in one place; says where."""


class Damaged:
    """A store that is harmed again and again, each time from its sound state, in place as a disk does it.

    :param sound: the files as they are without harm.
    """

    def __init__(self, folder: Path, sound: dict[str, bytes]) -> None:
        self.folder = folder
        self.sound = sound
        self.found: Counter[str] = Counter()
        self.told = 0

    def put(self, files: dict[str, bytearray]) -> None:
        for path in self.folder.iterdir():
            if path.is_file() and path.name not in files:
                path.unlink()
        for name, content in files.items():
            (self.folder / name).write_bytes(content)

    async def view(self, damage: Damage | None = None) -> tuple[str, View]:
        files = {name: bytearray(content) for name, content in self.sound.items() if not name.endswith("-shm")}
        where = damage(files) if damage is not None else ""
        self.put(files)
        return where, await view(self.folder)


async def harm(store: Damaged, count: int, damage: Damage) -> list[str]:
    """Harm it ``count`` times; a line for each time that something happened in silence."""
    _, sound = await store.view()
    assert sound.refused is None, sound.refused
    assert not silent(sound, (await store.view())[1])
    lines = []
    for _ in range(count):
        where, found = await store.view(damage)
        found.warnings = [text for text in found.warnings if text not in sound.warnings]
        kinds = silent(sound, found)
        store.told += found.told
        store.found.update(kinds.keys())
        if kinds:
            lines.append(f"{where}: {kinds} {found.untyped[:1]}")
    return lines


async def made(folder: Path, seed: int, *, closed: bool) -> Damaged:
    """A store that was closed, or one whose node was killed. It marks each group of its log, as an opening can ask for:
    by default what is cut off within a second before a kill is not noticed."""
    site = SqliteSite(folder, reserve=0, mark=0)
    bench = Bench(site)
    await bench.open()
    await stock(bench, random.Random(seed), 160 if closed else 40)
    killed = _files(site.directory)
    await bench.transport.aclose()
    return Damaged(site.directory, _files(site.directory) if closed else killed)


def _files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


# Where -------------------------------------------------------------------------------------------------------


def in_database(store: Damaged, chance: random.Random) -> Damage:
    return _flip("junctor.db", lambda size: chance.randrange(size * 8), owners(store.folder / "junctor.db"))


def in_queue(store: Damaged, chance: random.Random) -> Damage:
    """Where it hurts most: what says which messages are still owed."""
    return _in_tables(store, chance, QUEUE)


def in_state(store: Damaged, chance: random.Random) -> Damage:
    """What handlers go on from."""
    return _in_tables(store, chance, ("state",))


def _in_tables(store: Damaged, chance: random.Random, names: tuple[str, ...]) -> Damage:
    pages = owners(store.folder / "junctor.db")
    aimed = [page for page, name in pages.items() if name in names]
    return _flip("junctor.db", lambda size: (chance.choice(aimed) - 1) * 4096 * 8 + chance.randrange(4096 * 8), pages)


def in_log(store: Damaged, chance: random.Random) -> Damage:
    return _flip("junctor.db-wal", lambda size: chance.randrange(size * 8), {})


def end_of_log(store: Damaged, chance: random.Random) -> Damage:
    """Cut off anywhere."""

    def cut(files: dict[str, bytearray]) -> str:
        size = chance.randrange(len(files["junctor.db-wal"]))
        del files["junctor.db-wal"][size:]
        return f"the log cut to {size} bytes"

    return cut


def _flip(name: str, place: Callable[[int], int], pages: dict[int, str]) -> Damage:
    def flip(files: dict[str, bytearray]) -> str:
        byte, bit = divmod(place(len(files[name])), 8)
        files[name][byte] ^= 1 << bit
        return f"byte {byte} bit {bit} of {name} ({pages.get(byte // 4096 + 1, 'a page')})"

    return flip


PLACES = {"database": in_database, "queue": in_queue, "state": in_state, "log": in_log, "end": end_of_log}


def campaign(folder: Path, seed: int, place: str, count: int) -> list[str]:
    """The lines about what was silent."""

    async def run() -> list[str]:
        chance, row = random.Random(seed), Campaign(seed)
        store = await made(folder, seed, closed=place in ("database", "queue", "state"))
        lines = await harm(store, count, PLACES[place](store, chance))
        found = store.found
        faults = Faults(lost=["dropped"] * found["dropped"], double=["again"] * found["again"])
        faults.misjudged = [line for line in lines if "dropped" not in line and "again" not in line]
        row.ended(count, None, faults)
        print(f"\n{place}: {count} times, told {store.told}, in silence {dict(found)}, JUNCTOR_SEED={seed}")
        print("\n".join(lines))
        return lines

    return asyncio.run(run())


@pytest.mark.parametrize("place", PLACES)
def test_damage_is_never_silent(tmp_path: Path, place: str) -> None:
    seed = seed_of_this_run()
    lines = campaign(tmp_path, seed, place, 30)
    assert not lines, "\n".join([*lines, repeat(seed)])


@pytest.mark.torture
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    "place, count", [("database", 1000), ("queue", 1000), ("state", 1000), ("log", 200), ("end", 200)]
)
def test_much_damage_is_never_silent(tmp_path: Path, place: str, count: int) -> None:
    seed = seed_of_this_run()
    lines = campaign(tmp_path, seed, place, cycles(count))
    assert not lines, "\n".join([*lines, repeat(seed)])
