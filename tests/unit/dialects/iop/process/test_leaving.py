"""What a callback leaves and cannot be sent or stored, and other ends of a callback: somebody gets the error."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any

import pytest

from junctor import Service, handler
from junctor.core.run import RunQuery, RunStatus
from junctor.dialects.iop.components import BusinessProcess
from junctor.errors import RequestFailed
from junctor.messages import Kind
from junctor.testing import RunningFlow, running
from tests.unit.dialects.iop.process.parts import Ask, Got
from tests.unit.dialects.iop.process.project import project

HUGE = "x" * 17_000_000
NAN = float("nan")


class Leaving(BusinessProcess):
    """Asks one that is slow and one that is slower; what it does when the first has answered is in ``LEAVES``."""

    def on_message(self, request: Ask) -> None:
        self.kept = [1]
        self.send_request_async("Python.Slow", Ask(1), completion_key="first")
        self.send_request_async("Python.Slow", Ask(60), completion_key="second")

    def on_response(
        self, request: Ask, response: Any, call_request: Any, call_response: Any, completion_key: str
    ) -> Any:
        self.send_request_async("Python.Slow", Ask(2, "never sent"))
        self.reply(Got("never given"))
        return LEAVES[request.text](self)


def sets(process: Any, name: str, value: Any) -> None:
    setattr(process, name, value)


LEAVES: dict[str, Callable[[Any], Any]] = {
    "a request without a JSON form": lambda self: self.send_request_async("Python.Slow", Ask(1, object())),
    "one that is waited for": lambda self: self.send_request_sync("Python.Slow", Ask(NAN)),
    "a request that is too large": lambda self: self.send_request_async("Python.Slow", Ask(1, HUGE)),
    "a key that is no Unicode": lambda self: self.send_request_async("Python.Slow", Ask(1), None, "\ud800"),
    "a timer that is no Unicode": lambda self: self.set_timer(5, "\ud800"),
    "an attribute that is too large": lambda self: sets(self, "large", HUGE),
    "an attribute that is no Unicode": lambda self: sets(self, "\ud800", 1),
    "an end of the program": lambda self: sys.exit(3),
}


def runs(plant: RunningFlow, service: str) -> list[RunStatus]:
    return [run.status for run in plant.node.archive.runs(RunQuery(service=f"project/{service}"))]


@pytest.mark.parametrize("text", LEAVES)
async def test_a_later_callback_ends_the_process_in_error(text: str) -> None:
    async with running(project(Leaving)) as plant:
        asked = asyncio.ensure_future(_asked(plant, "python-leaving", text))
        await plant.advance("5s")
        with pytest.raises(RequestFailed, match="message 1 is failed"):
            await asked
        assert runs(plant, "python-leaving") == [RunStatus.FAILED]
        await plant.advance("2m")
        assert not [one for one in plant.messages if b"never" in bytes(one.payload) and one.kind is not Kind.SEND]


async def _asked(plant: RunningFlow, service: str, text: str) -> Any:
    return await plant.node.target(service, Ask, Any).request(Ask(1, text), timeout="30d")


class Answering(BusinessProcess):
    """Answers at its end."""

    def on_message(self, request: Ask) -> None:
        self.send_request_async("Python.Slow", Ask(1))

    def on_complete(self, request: Ask, response: Any) -> Got:
        return Got(numbers=[NAN])  # type: ignore[list-item]


async def test_so_does_a_response_without_a_json_form() -> None:
    async with running(project(Answering)) as plant:
        asked = asyncio.ensure_future(_asked(plant, "python-answering", ""))
        await plant.advance("5s")
        with pytest.raises(RequestFailed, match="nan is no number that JSON can carry"):
            await asked
        assert runs(plant, "python-answering") == [RunStatus.FAILED]


class Early(BusinessProcess):
    """Goes on changing what it has sent and replied."""

    def on_message(self, request: Ask) -> None:
        early, asking = Got("early"), Ask(1, "as it was")
        self.reply(early)
        self.send_request_async("Python.Slow", asking)
        early.text = asking.text = "changed"

    def on_response(
        self, request: Ask, response: Any, call_request: Any, call_response: Got, completion_key: Any
    ) -> None:
        self.log_info(call_response.text)


async def test_what_was_sent_and_replied_stays_what_it_was() -> None:
    async with running(project(Early)) as plant:
        assert await _asked(plant, "python-early", "") == Got("early")
        await plant.advance("5s")
        assert [line.text for line in plant.logs] == ["as it was after 1"]


class Lenient(BusinessProcess):
    """Raises where the text of its request says so."""

    def on_message(self, request: Ask) -> None:
        self.kept = [request.number]
        self.send_request_async("Python.Slow", Ask(1))
        self.send_request_async("Python.Slow", Ask(5))
        self._fail(request, "message")

    def on_response(
        self, request: Ask, response: Any, call_request: Ask, call_response: Got, completion_key: Any
    ) -> Got:
        self.kept.append(call_request.number)
        if call_request.number == 5:
            self._fail(request, "response")
        return Got(f"{response.text if response else ''}{call_request.number}")

    def on_complete(self, request: Ask, response: Got) -> Got:
        self._fail(request, "complete")
        return Got(response.text, self.kept)

    def _fail(self, request: Ask, where: str) -> None:
        if request.text == where:
            raise ValueError(where)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("message", Got("15", [1, 1, 5])), ("response", Got("1", [1, 1, 5])), ("complete", Got("15"))],
)
async def test_behind_an_error_that_counts_as_done_the_process_goes_on(text: str, wanted: Got) -> None:
    flow = project().add(Lenient, settings={"ReplyCodeActions": "E=C"})
    async with running(flow) as plant:
        asked = asyncio.ensure_future(_asked(plant, "python-lenient", text))
        await plant.advance("1m")
        assert await asked == wanted


class Deep(Service):
    """Answers with what is nested deeper than Python calls."""

    @handler
    async def on_ask(self, ask: Ask) -> Any:
        nested: Any = {}
        for _ in range(600):
            nested = {"inner": nested}
        return nested


class AskingDeep(BusinessProcess):
    def on_message(self, request: Ask) -> None:
        self.send_request_async("deep", request)


async def test_a_reply_that_cannot_be_handed_over_ends_the_process_in_error() -> None:
    async with running(project(AskingDeep, Deep)) as plant:
        with pytest.raises(RequestFailed, match="RecursionError"):
            await _asked(plant, "python-askingdeep", "")
        assert runs(plant, "python-askingdeep") == [RunStatus.FAILED]
