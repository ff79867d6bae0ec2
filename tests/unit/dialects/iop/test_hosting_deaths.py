"""Messages that are in hand when the node ends: how often they come again, and that errors of the code do not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from junctor import Flow
from junctor.core.records import Query
from junctor.dialects.iop.components import BusinessOperation, BusinessProcess
from junctor.errors import RequestFailed
from junctor.messages import Status
from junctor.testing import RunningFlow, running
from tests.unit.dialects.iop.process.parts import Ask, Got

CALLS: list[str] = []


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    CALLS.clear()
    yield


class Slow(BusinessOperation):
    def on_message(self, request: Ask) -> Got:
        CALLS.append(request.text)
        if request.text == "wait" and len(CALLS) < 4:
            self._door._port.sleep(3600.0).result()
        if request.text == "fail":
            raise SystemExit("no") if request.number else ValueError("no")
        return Got("done")


class Asking(BusinessProcess):
    def on_message(self, request: Ask) -> None:
        self._fail(request, "message")
        self.send_request_async("Python.Slow", Ask(1, "ok"))

    def on_response(self, request: Any, response: Any, call_request: Any, call_response: Any, key: Any) -> Any:
        self._fail(request, "response")
        return call_response

    def _fail(self, request: Ask, where: str) -> None:
        if request.text == where:
            CALLS.append(where)
            if CALLS.count(where) < 3:
                raise ValueError(f"no {where}")


def one(plant: RunningFlow) -> Status:
    return plant.node.archive.search(Query(service="deaths/python-slow"))[0].status


async def test_a_message_of_an_operation_is_innocent_of_three_ends_of_the_node(tmp_path: Path) -> None:
    async with running(Flow("deaths").add(Slow), store=tmp_path / "store") as plant:
        await plant.send("python-slow", Ask(1, "wait"))
        for _ in range(3):
            await plant.advance("1m")
            await plant.restart()
        assert one(plant) is Status.DONE
        assert CALLS == ["wait"] * 4


@pytest.mark.parametrize("number", [0, 1])
async def test_an_error_of_an_operation_has_one_attempt(number: int) -> None:
    async with running(Flow("deaths").add(Slow)) as plant:
        with plant.expect_parked("SystemExit" if number else "ValueError"), pytest.raises(RequestFailed, match="no"):
            await plant.node.target("python-slow", Ask, Any).request(Ask(number, "fail"))
        assert CALLS == ["fail"]


@pytest.mark.parametrize("where", ["message", "response"])
async def test_attempts_that_a_flow_gives_a_process_count(where: str) -> None:
    flow = Flow("deaths").add(Slow).add(Asking, retry={"attempts": 3, "initial": 0.01})
    async with running(flow) as plant:
        asked = plant.node.target("python-asking", Ask, Any).request(Ask(1, where))
        await plant.advance("1m")
        assert (await asked, CALLS) == (
            Got("done"),
            [where] * 3 + ["ok"] if where == "message" else ["ok", *[where] * 3],
        )
