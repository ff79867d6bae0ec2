"""``junctor replay``, ``junctor workflows`` over a stopped node, exported histories, and the same from a test."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from junctor import Workflow, handler
from junctor.cli.main import main
from junctor.flows import load
from junctor.node.histories import HistoryUnusable, read_history
from junctor.testing import load_history, replay_history, running
from tests.integration.workflows.shop import Order, Ordering, Pay, Receipt, shop

FLOW = """\
from tests.integration.workflows.shop import Ordering, shop

flow = shop()
"""

OTHER = """\
from junctor import handler
from tests.integration.workflows.shop import Order, Ordering, Pay, Receipt, shop


class Other(Ordering):
    @handler(key="id")
    async def run(self, order: Order) -> Receipt:
        await self.sleep("1d")
        await self.bank.request(Pay(order.id))
        return Receipt("other")


flow = shop(Other)
"""


@pytest.fixture
async def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Path]:
    """The folder of a node that is down: two runs go on, one is done; flows with the same and with other code."""
    async with running(shop(), store=tmp_path / ".junctor" / "shop") as plant:
        await plant.send("orders", Order(1))
        await plant.advance("5d")
        await plant.send("orders", Order(2))
        await plant.send("orders", Order(3))
    (tmp_path / "flow.py").write_text(FLOW)
    (tmp_path / "other.py").write_text(OTHER)
    monkeypatch.chdir(tmp_path)
    yield tmp_path


def run(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    capsys.readouterr()
    assert main(list(words)) == code, capsys.readouterr().err
    return capsys.readouterr().out


async def test_a_stopped_node_lists_and_shows_its_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    listed = run(capsys, "workflows")
    assert [line.split()[1] for line in listed.splitlines()[1:]] == ["3", "2", "1"]
    assert "sleep 1 d" in listed
    assert [one["key"] for one in json.loads(run(capsys, "workflows", "--status", "done", "--json"))] == ["1"]
    shown = run(capsys, "workflows", "2")
    assert shown == run(capsys, "workflows", "show", "2")
    assert "begins with run" in shown and "reply to step 1  Paid" in shown and "2 sleep 1 d" in shown
    assert "there are no such runs" in run(capsys, "workflows", "--key", "99")
    for words in (("signal", "2", "approve"), ("cancel", "2"), ("retry", "2"), ("query", "2", "status")):
        assert main(["workflows", *words]) == 1
        assert "only a running node" in capsys.readouterr().err


async def test_replay_tells_which_runs_the_code_would_not_follow(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(capsys, "replay", "flow.py", "--store", ".junctor/shop") == "2 as recorded\n"
    assert run(capsys, "replay", "flow.py", "--store", ".junctor/shop", "--status", "all") == "3 as recorded\n"
    told = run(capsys, "replay", "other.py", "--store", ".junctor/shop", code=1)
    assert "2 diverge" in told
    assert "step 1: history has request Pay to bank, the code now makes sleep 1 d" in told
    assert "other.py:8" in told
    data = json.loads(
        run(capsys, "replay", "other.py", "--store", ".junctor/shop", "--status", "done", "--json", code=1)
    )
    assert data["counts"] == {"diverges": 1}
    assert data["verdicts"][0]["key"] == "1"
    assert "no such runs" in run(capsys, "replay", "flow.py", "--store", ".junctor/shop", "--status", "failed")


async def test_an_exported_history_is_replayed_elsewhere(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "workflows", "export", "2", "-o", "two.json")
    assert (folder / "two.json").stat().st_mode & 0o777 == 0o600
    shutil.move(folder / ".junctor", folder / "gone")
    assert run(capsys, "replay", "flow.py", "two.json") == "1 as recorded\n"
    assert "1 diverge" in run(capsys, "replay", "other.py", "two.json", code=1)
    assert main(["replay", "flow.py", "two.json", "--store", "gone/shop"]) == 2
    history = load_history("two.json")
    assert (history.service, history.key, len(history.turns)) == ("shop/orders", "2", 2)


class Other(Ordering):
    @handler(key="id")
    async def run(self, order: Order) -> Receipt:
        await self.bank.request(Pay(order.id))
        await self.sleep("2d")
        return Receipt("other")


class Broken(Ordering):
    @handler(key="id")
    async def run(self, order: Order) -> Receipt:
        return Receipt(order.nothing)  # type: ignore[attr-defined]


class Renamed(Workflow):
    @handler
    async def begin(self, order: Order) -> Receipt:
        return Receipt("")


@pytest.mark.parametrize(
    ("subject", "why"),
    [
        (Other, "step 2: history has sleep 1 d, the code now makes sleep 2 d"),
        (Broken, "AttributeError"),
        (Renamed, "there is no 'run' any more"),
    ],
)
async def test_a_test_replays_histories(folder: Path, subject: Any, why: str) -> None:
    assert not replay_history(Ordering, ".junctor/shop").wrong
    assert not replay_history(shop(), ".junctor/shop").wrong
    assert not replay_history("flow.py", ".junctor/shop").wrong
    result = replay_history(subject, ".junctor/shop")
    assert [one.result for one in result.verdicts] == ["diverges", "diverges"]
    assert why in str(result)
    assert subject is Renamed or "test_replay_command.py:" in result.wrong[0].place


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not the history"),
        ("{}", "not the history"),
        ('{"format": 1}', "not the history"),
        ("\xff", "not the history"),
        ("[" * 100_000, "not the history"),
    ],
)
def test_a_file_that_is_no_history_is_refused(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "x.json"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(HistoryUnusable, match=why):
        read_history(file)
    with pytest.raises(HistoryUnusable, match="cannot be read"):
        read_history(tmp_path / "none.json")


async def test_a_history_of_a_newer_version_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "workflows", "export", "2", "-o", "two.json")
    data = json.loads((folder / "two.json").read_text())
    for change, why in (({"version": 9}, "newer"), ({"format": "x"}, "format"), ({"session": "x"}, "not the history")):
        (folder / "new.json").write_text(json.dumps(data | change))
        with pytest.raises(HistoryUnusable, match=why):
            read_history(folder / "new.json")
    (folder / "cut.json").write_text((folder / "two.json").read_text()[:200])
    assert "not the history" in _complaint(capsys, "replay", "flow.py", "cut.json")


def _complaint(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(list(words)) == 1
    return capsys.readouterr().err


SECRET = """\
from dataclasses import dataclass
from junctor import Flow, Sensitive, Workflow, handler


@dataclass(frozen=True)
class Card:
    number: Sensitive[str]


class Paying(Workflow):
    @handler
    async def run(self, card: Card) -> None:
        await self.wait(lambda: False, timeout=f"{len(card.number)}h")


flow = Flow("cards").add(Paying, name="paying")
"""


async def test_a_history_without_its_sensitive_values_is_not_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cards.py").write_text(SECRET)
    flow = load("cards.py")
    async with running(flow, store=tmp_path / ".junctor" / "cards") as plant:
        await plant.send("paying", flow.items[0].source.run.__globals__["Card"]("4111-2222-3333"))
    run(capsys, "workflows", "export", "1", "-o", "masked.json")
    run(capsys, "workflows", "export", "1", "-o", "whole.json", "--unmasked")
    assert "4111" not in (tmp_path / "masked.json").read_text()
    assert run(capsys, "replay", "cards.py", "masked.json") == "1 without a history to compare\n"
    assert run(capsys, "replay", "cards.py", "whole.json") == "1 as recorded\n"
    assert run(capsys, "replay", "cards.py", "--store", ".junctor/cards") == "1 as recorded\n"
