"""What a run hears of a request whose handler fails in a rare way: it always hears something."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from junctor import Flow, Service, Target, Workflow, handler
from junctor.core.run import RunQuery
from junctor.errors import RequestFailed
from junctor.testing import RunningFlow, running


@dataclass(frozen=True)
class Ask:
    name: str


@dataclass(frozen=True)
class Told:
    text: str


class Odd(Service):
    """Keeps something under a name that no store can keep."""

    @handler
    async def on_ask(self, ask: Ask) -> Told:
        self.state["\ud800" if ask.name == "odd" else ask.name] = 1
        return Told("kept")


class Asking(Workflow):
    odd: Target[Ask, Told]

    @handler
    async def on_ask(self, ask: Told) -> Told:
        try:
            return await self.odd.request(Ask(ask.text))
        except RequestFailed as error:
            return Told(f"failed: {error.error_type}")


async def asked(plant: RunningFlow, text: str) -> str:
    target = plant.node.target("asking", Told, Told)
    reply: Told = await target.request(Told(text), timeout="1d")
    return reply.text


async def test_a_result_that_cannot_be_stored_is_a_failed_request(tmp_path: Path) -> None:
    flow = Flow("partners").add(Odd()).add(Asking(), connect={"odd": "odd"})
    async with running(flow, store=tmp_path / "store") as plant:
        assert await asked(plant, "good") == "kept"
        with plant.expect_parked("RecordRefused"):
            assert await asked(plant, "odd") == "failed: RecordRefused"
        assert [run.status.name for run in plant.node.archive.runs(RunQuery())] == ["DONE", "DONE"]
