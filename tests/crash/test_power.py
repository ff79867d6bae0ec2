"""Power cuts: images of the folder with unsynced sectors dropped, kept or torn. Nothing acknowledged may be missing."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from junctor.store import connection, journal
from junctor.transports.sqlite import SqliteTransport
from tests.crash.campaigns import Campaign, cycles, time_is_up
from tests.crash.drivers.load import Plan, work
from tests.crash.evidence import seen_in
from tests.crash.history import Event, Faults, check, read_history
from tests.crash.power import PowerSupply
from tests.crash.seeds import repeat, seed_of_this_run
from tests.crash.vfs import tapped

pytestmark = pytest.mark.crash


class Cuts:
    """Takes cuts at chosen operations of one run, each with the clients' history of that moment."""

    def __init__(self, folder: Path, every: int, seeds: int, chance: random.Random) -> None:
        self.folder = folder
        self.taken: list[tuple[Path, list[Event], int, int]] = []
        self._every = every
        self._seeds = seeds
        self._chance = chance
        self._next = chance.randrange(1, every + 1)
        self.supply = PowerSupply(self._at_operation)

    def _at_operation(self, count: int) -> None:
        if count < self._next:
            return
        self._next = count + self._chance.randrange(1, 2 * self._every)
        history = read_history(self.folder / "history")
        for _ in range(self._seeds):
            seed = self._chance.randrange(2**32)
            image = self.folder / f"image-{len(self.taken)}"
            self.supply.cut(image, seed)
            for identity in (self.folder / "store").glob("node.json"):
                shutil.copy(identity, image)
            self.taken.append((image, history, count, seed))


async def run_with_cuts(folder: Path, seed: int, every: int, seeds: int) -> Cuts:
    (folder / "store").mkdir(parents=True)
    (folder / "history").mkdir()
    cuts = Cuts(folder, every, seeds, random.Random(seed))
    plan = Plan(seed, clients=3, messages=6, sync=False)
    with tapped(cuts.supply) as vfs:
        await work(lambda: SqliteTransport(folder / "store", vfs=vfs, reserve=0), folder / "history", plan)
    return cuts


async def faults_after(cuts: Cuts, seed: int, *, finish: bool) -> list[str]:
    """What the checker finds in the images, each as it is, and after a run that recovers and finishes it."""
    found = []
    for image, history, count, cut_seed in cuts.taken:
        try:
            faults = check(history, seen_in(image))
            if not faults and finish:
                faults = await _finish(image, history, seed)
        except Exception as error:
            found.append(f"operation {count}, cut {cut_seed}: {type(error).__name__}: {error}")
        else:
            if faults:
                found.append(f"operation {count}, cut {cut_seed}: {faults}")
    return found


async def _finish(image: Path, history: list[Event], seed: int) -> Faults:
    histories = image / "history"
    histories.mkdir()
    for event in history:
        with (histories / f"{event.id.partition('-')[0]}.log").open("a") as file:
            file.write(" ".join(event) + "\n")
    plan = Plan(seed, clients=3, messages=6, sync=False)
    warnings: list[str] = []
    await work(lambda: SqliteTransport(image, reserve=0), histories, plan, warnings=warnings)
    assert not any("is damaged" in warning for warning in warnings), warnings
    return check(read_history(histories), seen_in(image), drained=True)


@pytest.fixture
def small_checkpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "CHECKPOINT_PAGES", 24)


@pytest.mark.usefixtures("small_checkpoints")
async def test_a_power_cut_loses_nothing_acknowledged(tmp_path: Path) -> None:
    seed = seed_of_this_run()
    cuts = await run_with_cuts(tmp_path, seed, every=16, seeds=2)
    assert len(cuts.taken) >= 16
    found = await faults_after(cuts, seed, finish=True)
    assert not found, "\n".join([*found, repeat(seed)])


@pytest.mark.usefixtures("small_checkpoints")
@pytest.mark.parametrize("level", [0, 1])
async def test_the_simulator_finds_loss_where_not_everything_is_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, level: int
) -> None:
    """Without this the test above proves nothing: with synchronous=OFF, and with NORMAL, acknowledged messages must be
    missing; and not all of them are, so that it is the cut that takes them and not the simulator."""
    pragmas = tuple((name, level if name == "synchronous" else value) for name, value in connection._WRITER)
    monkeypatch.setattr(connection, "_WRITER", pragmas)
    monkeypatch.setattr(journal.Journal, "_want_synchronous", lambda self, group: None)
    seed = seed_of_this_run()
    cuts = await run_with_cuts(tmp_path, seed, every=12, seeds=2)
    found = await faults_after(cuts, seed, finish=False)
    lost = sum("lost: " in fault for fault in found)
    print(f"level {level}: {lost} of {len(cuts.taken)} cuts lost something")
    assert lost, repeat(seed)
    kept = [seen_in(image) for image, *_ in cuts.taken if level]
    assert any(kept) or not level, repeat(seed)


@pytest.mark.torture
@pytest.mark.timeout(3600)
@pytest.mark.usefixtures("small_checkpoints")
async def test_many_power_cuts(tmp_path: Path) -> None:
    """A thousand cuts, each of a seed of its own; several runs, because the load is another one in each."""
    seed, left = seed_of_this_run(), cycles(1000)
    while left > 0 and not time_is_up():
        made = Campaign(seed)
        cuts = await run_with_cuts(tmp_path / str(seed), seed, every=3, seeds=3)
        cuts.taken = cuts.taken[:left]
        found = await faults_after(cuts, seed, finish=True)
        made.ended(len(cuts.taken), None, Faults(lost=found))
        assert not found, "\n".join([*found, repeat(seed)])
        shutil.rmtree(tmp_path / str(seed))
        seed, left = seed + 1, left - len(cuts.taken)
