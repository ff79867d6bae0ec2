"""What operators do with runs: list, show, signal, ask, cancel, let go on; and what is refused."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from junctor import Flow, Sensitive, Service, Target, Workflow, WorkflowFailed, handler, query, signal
from junctor.core.history import read_entry
from junctor.core.run import RunQuery, RunStatus
from junctor.errors import DecodeError, JunctorError, StoreDamaged, UnknownOperation, UnknownRun, UnknownTarget
from junctor.flows import wire
from junctor.flows.check.runs import run_findings
from junctor.flows.replaying import replayed
from junctor.messages import Status
from junctor.node.control.operations import perform
from junctor.node.control.wire import NotPermitted
from junctor.node.runs import RunEnded, UnknownSignal
from junctor.node.views.runs import Retried, RunHistory, RunView
from junctor.node.views.search import UnknownFilter
from junctor.observe.histories import masked_turns
from junctor.store.reader import open_archive
from junctor.testing import RunningFlow, running
from junctor.transports.base import Query
from tests.integration.workflows.shop import Bank, Order, Ordering, Paid, Pay, Receipt, shop


async def ask(plant: RunningFlow, operation: str, who: str = "ada", **arguments: Any) -> Any:
    raw = {name: msgspec.Raw(msgspec.json.encode(value)) for name, value in arguments.items()}
    return await perform(plant.node, operation, raw, who=who)


class Changed(Ordering):
    """The same workflow with other code: it asks for another step."""

    @handler(key="id")
    async def run(self, order: Order) -> Receipt:
        await self.bank.request(Pay(order.id, 2))
        await self.sleep("1d")
        await self.wait(lambda: self.approved)
        return Receipt("changed")


async def test_runs_are_listed_with_what_they_wait_for() -> None:
    async with running(shop()) as plant:
        for number in (1, 2, 3):
            await plant.send("orders", Order(number))
        await plant.idle()
        listed: list[RunView] = await ask(plant, "runs")
        assert [(run.key, run.status, run.turns) for run in listed] == [(k, "open", 2) for k in ("3", "2", "1")]
        [wait] = listed[0].waits
        assert (wait.what, wait.step) == ("sleep 1 d", 2)
        assert wait.until is not None and (wait.until - wait.since).total_seconds() == 86400
        assert listed[0].due == wait.until
        assert [run.key for run in await ask(plant, "runs", key="2")] == ["2"]
        assert [run.key for run in await ask(plant, "runs", service="orders", limit=1)] == ["3"]
        assert [run.key for run in await ask(plant, "runs", before=listed[0].seq)] == ["2", "1"]
        assert await ask(plant, "runs", status=["ended"]) == []
        assert len(await ask(plant, "runs", since=plant.now)) == 3
        assert await ask(plant, "runs", since=plant.now + timedelta(hours=1)) == []
        for wrong in ({"status": ["opne"]}, {"service": "ordres"}, {"limit": 0}):
            with pytest.raises(UnknownFilter):
                await ask(plant, "runs", **wrong)


async def test_a_run_is_shown_with_its_history() -> None:
    async with running(shop()) as plant:
        receipt = await plant.send("orders", Order(7))
        await plant.advance("25h")
        await ask(plant, "run-signal", which="7", name="approve", body={"by": "me"})
        await plant.idle()
        shown: RunHistory = await ask(plant, "run", which=receipt.id)
        assert [(turn.came, turn.name, turn.step) for turn in shown.turns] == [
            ("begin", "run", 0),
            ("reply", "", 1),
            ("timer", "", 2),
            ("signal", "approve", 0),
        ]
        assert [call.text for turn in shown.turns for call in turn.did] == [
            "request Pay to bank",
            "sleep 1 d",
            "wait within 3 d",
        ]
        assert shown.turns[1].body == {"text": "7.1"}
        assert (shown.run.status, shown.turns[-1].end, shown.reply) == ("done", "done", {"text": "7.1 approved by me"})
        assert (shown.type, shown.body) == ("Order", {"id": 7, "steps": 1})
        short: RunHistory = await ask(plant, "run", which="7", limit=2)
        assert ([turn.number for turn in short.turns], short.left_out) == ([1, 4], 2)


async def test_a_run_is_found_by_number_id_and_key_and_the_open_one_of_a_key_wins() -> None:
    async with running(shop()) as plant:
        first = await plant.send("orders", Order(77))
        await plant.advance("5d")
        second = await plant.send("orders", Order(77))
        await plant.idle()
        seq = int(second.id.rpartition("-")[2])
        assert (await ask(plant, "run", which="77")).run.id == second.id
        assert (await ask(plant, "run", which=str(seq))).run.id == second.id
        assert (await ask(plant, "run", which=first.id)).run.status == "done"
        await plant.advance("5d")
        assert (await ask(plant, "run", which="77")).run.id == second.id
        for unknown in ("78", "nope", "aaaa-1", "99999999999999999999"):
            with pytest.raises(UnknownRun):
                await ask(plant, "run", which=unknown)


async def test_signals_and_queries_and_what_is_wrong_with_them() -> None:
    async with running(shop()) as plant:
        await plant.send("orders", Order(7))
        await plant.idle()
        assert await ask(plant, "run-query", which="7", name="status") == "paid"
        with pytest.raises(UnknownSignal, match='Did you mean "approve"'):
            await ask(plant, "run-signal", which="7", name="aprove", body={"by": "me"})
        with pytest.raises(UnknownSignal, match="run"):
            await ask(plant, "run-signal", which="7", name="run", body={"id": 1})
        with pytest.raises(UnknownSignal):
            await ask(plant, "run-signal", which="7", name="junctor-cancel")
        with pytest.raises(DecodeError, match="by"):
            await ask(plant, "run-signal", which="7", name="approve", body={"by": 5})
        with pytest.raises(UnknownSignal, match='Did you mean "status"'):
            await ask(plant, "run-query", which="7", name="stats")
        with pytest.raises(UnknownOperation):
            await ask(plant, "run-query", which="7", name="status", arguments={"nope": 1})
        with pytest.raises(UnknownRun):
            await ask(plant, "run-signal", which="8", name="approve", body={"by": "me"})
        await plant.advance("5d")
        for operation, more in (("run-signal", {"name": "approve", "body": {"by": "me"}}), ("run-cancel", {})):
            with pytest.raises(RunEnded, match="ended: done"):
                await ask(plant, operation, which="7", **more)
        assert await ask(plant, "run-query", which="7", name="status") == "slept", "one that is over can be asked too"


async def test_who_may_what() -> None:
    async with running(shop()) as plant:
        await plant.send("orders", Order(7))
        await plant.idle()
        for operation, more in (("run-cancel", {}), ("run-retry", {}), ("run-signal", {"name": "approve"})):
            raw = {name: msgspec.Raw(msgspec.json.encode(value)) for name, value in {"which": "7", **more}.items()}
            with pytest.raises(NotPermitted):
                await perform(plant.node, operation, raw, {"read"})


async def test_a_run_is_cancelled_with_a_note() -> None:
    async with running(shop()) as plant:
        await plant.send("orders", Order(7))
        await plant.idle()
        await ask(plant, "run-cancel", which="7", reason="the customer left")
        await plant.idle()
        shown: RunHistory = await ask(plant, "run", which="7")
        assert shown.run.status == "cancelled"
        assert [(note.who, note.text) for note in shown.notes] == [("ada", "cancelled: the customer left")]


async def suspended(folder: Path, signals: int = 2) -> None:
    """A store with a run that other code has suspended, with this many parked signals."""
    async with running(shop(), store=folder) as plant:
        await plant.send("orders", Order(7))
        await plant.advance("25h")
    async with running(shop(Changed), store=folder) as plant:
        with plant.expect_parked(JunctorError):
            for number in range(signals):
                await ask(plant, "run-signal", which="7", name="approve", body={"by": f"n{number}"})
            await plant.idle()
        [view] = await ask(plant, "runs", status=["suspended"])
        assert "step 1: history has request Pay to bank" in view.error
        assert [one.kind for one in await plant.node.alerting.open() if one.kind == "suspended"] == ["suspended"]
        assert plant.node.status().suspended == 1


async def test_a_suspended_run_goes_on_with_the_code_it_began_on(tmp_path: Path) -> None:
    await suspended(tmp_path / "s")
    async with running(shop(), store=tmp_path / "s") as plant:
        with plant.expect_parked(UnknownRun):  # the second signal finds the run over
            done: Retried = await ask(plant, "run-retry", which="7")
            await plant.idle()
        assert (len(done.resent), done.kept) == (2, [])
        shown: RunHistory = await ask(plant, "run", which="7")
        assert (shown.run.status, shown.reply) == ("done", {"text": "7.1 approved by n0"}), "in their order"
        assert shown.notes[-1].text == "retried, 2 messages sent again"
        with pytest.raises(RunEnded, match="not suspended"):
            await ask(plant, "run-retry", which="7")


async def test_a_retry_with_the_same_code_suspends_it_again_and_nothing_is_lost(tmp_path: Path) -> None:
    await suspended(tmp_path / "s")
    async with running(shop(Changed), store=tmp_path / "s") as plant:
        with plant.expect_parked(JunctorError):
            await ask(plant, "run-retry", which="7")
            await plant.idle()
        shown: RunHistory = await ask(plant, "run", which="7")
        assert (shown.run.status, len(shown.parked)) == ("suspended", 2)


async def test_a_suspended_run_without_parked_messages_is_opened_again(tmp_path: Path) -> None:
    await suspended(tmp_path / "s", 1)
    async with running(shop(), store=tmp_path / "s") as plant:
        [record] = plant.node.archive.search(Query(statuses=(Status.PARKED,)))
        await ask(plant, "discard", messages=[str(record.message.seq)])
        done: Retried = await ask(plant, "run-retry", which="7")
        assert (done.run.status, done.resent) == ("open", [])
        await ask(plant, "run-signal", which="7", name="approve", body={"by": "me"})
        await plant.idle()
        assert (await ask(plant, "run", which="7")).run.status == "done"


async def test_runs_of_a_service_that_was_renamed_are_told_of(tmp_path: Path) -> None:
    async with running(shop(), store=tmp_path / "s") as plant:
        await plant.send("orders", Order(7))
        await plant.idle()
    flow = Flow("shop")
    flow.add(Bank, name="bank")
    flow.add(Ordering, name="purchases", connect={"bank": "bank"})
    async with running(flow, store=tmp_path / "s") as plant:
        assert [run.service for run in await ask(plant, "runs")] == ["shop/orders"]
        for operation, more in (("run-cancel", {}), ("run-signal", {"name": "approve", "body": {"by": "me"}})):
            with pytest.raises(UnknownTarget, match="no workflow shop/orders runs here now"):
                await ask(plant, operation, which="7", **more)
        archive = plant.node.archive
        histories = [(run, archive.turns(run.seq)) for run in archive.runs(RunQuery())]
        [verdict] = replayed([wire(flow)], histories)
        assert (verdict.result, verdict.is_well) == ("missing", False)
        assert "shop/purchases" in verdict.why


class Card(msgspec.Struct, frozen=True):
    id: int
    number: Sensitive[str]


class Paying(Workflow):
    bank: Target[Pay, Paid]

    @handler(key="id")
    async def run(self, card: Card) -> Receipt:
        await self.bank.request(Pay(card.id))
        await self.once(lambda: f"charged {card.number}")
        await self.wait(lambda: False)
        return Receipt("")

    @query
    def nothing(self) -> None: ...

    @signal
    def card(self, card: Card) -> None: ...


async def test_a_history_shows_no_sensitive_value() -> None:
    flow = Flow("shop")
    flow.add(Bank, name="bank")
    flow.add(Paying, name="paying", connect={"bank": "bank"})
    async with running(flow) as plant:
        await plant.send("paying", Card(7, "4111-2222"))
        await plant.idle()
        await ask(plant, "run-signal", which="7", name="card", body={"id": 7, "number": "5555-6666"})
        await plant.idle()
        shown = msgspec.json.encode(await ask(plant, "run", which="7")).decode()
        assert "4111" not in shown and "5555" not in shown
        assert "charged ***" in shown
        assert b"4111-2222" in b"".join(turn.data for turn in plant.node.engine.transport.turns(1))


class Token(msgspec.Struct, frozen=True):
    value: Sensitive[str]


class Logins(Service):
    @handler
    def login(self, pay: Pay) -> Token:
        return Token("from-a-reply")


class Using(Workflow):
    logins: Target[Pay, Token]

    @handler
    async def run(self, paid: Paid) -> Receipt:
        token = await self.once(lambda: Token("from-a-block"), Token)
        reply = await self.logins.request(Pay(1))
        await self.sleep("1s")
        self.log.warning("about to refuse %s %s", reply.value, token.value)
        raise WorkflowFailed(f"refused: {reply.value} {token.value}")


async def test_what_a_block_or_a_reply_gave_is_not_shown_either() -> None:
    flow = Flow("shop")
    flow.add(Logins, name="logins")
    flow.add(Using, name="using", connect={"logins": "logins"})
    async with running(flow) as plant:
        await plant.send("using", Paid("x"))
        await plant.idle()
        await plant.advance("2s")
        shown = msgspec.json.encode(await ask(plant, "run", which="1")).decode()
        listed = msgspec.json.encode(await ask(plant, "runs")).decode()
        assert "from-a-" not in shown + listed
        assert "from-a-" not in msgspec.json.encode(await ask(plant, "trace", which="1", whole=True)).decode()
        assert any("about to refuse *** ***" in line.text for line in plant.logs)
        assert "refused: *** ***" in shown and "refused: *** ***" in listed
        turns = plant.node.engine.transport.turns(1)
        calls = [one for turn in masked_turns(turns, {}, []) for one in read_entry(turn.data).did]
        assert [one.digest for one in calls if one.what == "request"] == [""]


async def test_a_damaged_turn_is_shown_as_damaged_and_replayed_as_damaged(tmp_path: Path) -> None:
    import apsw

    async with running(shop(), store=tmp_path / "s") as plant:
        await plant.send("orders", Order(7))
        await plant.idle()
    [file] = (tmp_path / "s").glob("*.db")
    db = apsw.Connection(str(file))
    db.execute("UPDATE turn SET data = CAST(replace(CAST(data AS TEXT), 'Pay', 'Pax') AS BLOB) WHERE number = 1")
    db.close()
    async with running(shop(), store=tmp_path / "s") as plant:
        shown: RunHistory = await ask(plant, "run", which="7")
        assert [turn.damaged for turn in shown.turns] == [True, False]
        archive = plant.node.archive
        histories = [(run, archive.turns(run.seq)) for run in archive.runs(RunQuery())]
        [verdict] = replayed([wire(shop())], histories)
        assert (verdict.result, "turn 1" in verdict.why) == ("damaged", True)
        with plant.expect_parked(StoreDamaged):
            await ask(plant, "run-signal", which="7", name="approve", body={"by": "me"})
            await plant.idle()
        assert [run.status for run in plant.node.archive.runs(RunQuery())] == [RunStatus.SUSPENDED]


async def test_a_check_finds_open_runs_whose_service_was_renamed(tmp_path: Path) -> None:
    async with running(shop(), store=tmp_path / "store") as plant:
        await plant.send("orders", Order(7))
        await plant.idle()
    archive = open_archive(tmp_path / "store")
    try:
        assert run_findings(archive, [wire(shop())]) == []
        renamed = Flow("shop").add(Bank, name="bank").add(Ordering, name="purchases", connect={"bank": "bank"})
        (found,) = run_findings(archive, [wire(renamed)])
        assert (found.code, found.level, found.where) == ("orphaned", "error", "orders")
        assert "1 open run" in found.what
    finally:
        archive.close()
