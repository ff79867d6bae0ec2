"""Business processes: one conversation for each request, from its first callback to its reply."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import threading
from pathlib import Path
from typing import Any, ClassVar

import pytest
from msgspec import Raw

from junctor.core.run import Run, RunQuery, RunStatus
from junctor.core.snapshot import read_snapshot, shown_attributes
from junctor.dialects.iop.components import BusinessProcess
from junctor.dialects.iop.definition import ItemDefinition, ProductionDefinition, SettingValue
from junctor.dialects.iop.hosting.item import Item
from junctor.dialects.iop.hosting.process import AlarmResponse, process_spec
from junctor.errors import NoHandler, RequestFailed
from junctor.messages import Kind, Status, type_name
from junctor.node.control.entries import handler_for
from junctor.testing import RunningFlow, running
from tests.crash.seeds import repeat, seed_of_this_run
from tests.unit.dialects.iop.process.parts import Ask, Got, Payment
from tests.unit.dialects.iop.process.project import (
    Collecting,
    Gathering,
    Multi,
    Native,
    Slow,
    project,
    wanted,
)

TRANSPORTS = pytest.mark.parametrize("durable", [False, True], ids=["memory", "sqlite"])


async def ask(plant: RunningFlow, service: str, body: Any, timeout: str = "30d") -> Any:
    return await plant.node.target(service, type(body), Any).request(body, timeout=timeout)


def lines(plant: RunningFlow) -> list[str]:
    return [line.text for line in plant.logs]


def said(plant: RunningFlow, begin: str) -> list[str]:
    return [line for line in lines(plant) if line.startswith(begin)]


def runs_of(plant: RunningFlow, service: str) -> list[Run]:
    return plant.node.archive.runs(RunQuery(service=f"project/{service}"))


def statuses(plant: RunningFlow, service: str) -> list[RunStatus]:
    return [run.status for run in runs_of(plant, service)]


def answered(plant: RunningFlow, seq: int) -> Any:
    record = plant.node.archive.record(seq)
    assert record is not None
    assert record.reply is not None
    return json.loads(record.reply.payload)


# The three ways of the page -----------------------------------------------------------------------------------


@TRANSPORTS
@pytest.mark.parametrize(
    ("process", "said"),
    [
        (Native, ["Received response one: Message1 1", "Received response two: Message2 2"]),
        (Gathering, [f"Received response: Message {number}" for number in range(7)]),
        (
            Multi,
            [
                "All requests have been processed",
                "Received response: Message1 1 1 Python.Echo",
                "Received response: Message2 2 1 Python.Echo",
            ],
        ),
    ],
)
async def test_the_examples_of_the_page(
    tmp_path: Path, durable: bool, process: type[BusinessProcess], said: list[str]
) -> None:
    async with running(project(process), store=tmp_path / "store" if durable else None) as plant:
        assert await ask(plant, f"python-{process.__name__.lower()}", Ask(7)) is None
        assert lines(plant) == said


# Attributes ---------------------------------------------------------------------------------------------------


@TRANSPORTS
async def test_fifty_at_once_never_mix(tmp_path: Path, durable: bool) -> None:
    async with running(project(Collecting), store=tmp_path / "store" if durable else None) as plant:
        asked = [asyncio.create_task(ask(plant, "python-collecting", Ask(number))) for number in range(50)]
        await plant.advance("1m")
        assert await asyncio.gather(*asked) == [wanted(number) for number in range(50)]


async def test_attributes_are_there_behind_kills_at_any_moment(tmp_path: Path) -> None:
    seed = seed_of_this_run()
    chance = random.Random(seed)
    async with running(project(Collecting), store=tmp_path / "store") as plant:
        for number in range(12):
            await plant.send("python-collecting", Ask(number))
        for _ in range(6):
            await plant.advance(f"{chance.randrange(1500)}ms")
            await plant.restart()
        await plant.advance("1m")
        assert statuses(plant, "python-collecting") == [RunStatus.DONE] * 12, repeat(seed)
        assert [answered(plant, run.seq) for run in reversed(runs_of(plant, "python-collecting"))] == [
            {"text": wanted(number).text, "numbers": wanted(number).numbers} for number in range(12)
        ], repeat(seed)


class Keeping(BusinessProcess):
    """Sets what cannot be stored."""

    def on_message(self, request: Ask) -> None:
        self.lock = threading.Lock()
        self.text = "kept"
        self.send_request_async("Python.Slow", Ask(5))
        self.send_request_async("Python.Slow", Ask(9))

    def on_response(
        self, request: Any, response: Any, call_request: Any, call_response: Any, completion_key: Any
    ) -> None:
        assert completion_key is None
        self.log_info(f"{self.text} {hasattr(self, 'lock')}")


async def test_what_cannot_be_stored_lives_as_long_as_the_node(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(project(Keeping), store=tmp_path / "store") as plant:
        await plant.send("python-keeping", Ask(1))
        await plant.send("python-keeping", Ask(2))
        await plant.advance("5s")
        assert said(plant, "kept") == ["kept True"] * 2
        told = [each.getMessage() for each in caplog.records if "Keeping.lock" in each.getMessage()]
        assert len(told) == 1
        assert "lost when the node ends" in told[0]
        await plant.restart()
        await plant.advance("5s")
        assert said(plant, "kept")[2:] == ["kept False"] * 2
        assert "Keeping.lock was kept in memory and is lost" in caplog.text


class Persistent(Keeping):
    PERSISTENT_PROPERTY_LIST: ClassVar[list[str]] = ["text", "lock"]


async def test_a_persistent_property_that_cannot_be_stored_is_an_error() -> None:
    async with running(project(Persistent)) as plant:
        with plant.expect_parked("NotStorable", match="Persistent.lock"):
            with pytest.raises(RequestFailed, match="PERSISTENT_PROPERTY_LIST names it"):
                await ask(plant, "python-persistent", Ask(1))


class Prepared(BusinessProcess):
    """What on_init and settings make is there in every callback."""

    _made: ClassVar[list[int]] = []
    limit: int = 3

    def on_init(self) -> None:
        self._made.append(1)
        self.numbers = [self.limit]
        self.table = dict.fromkeys(range(2000), "x" * 100)
        self.client = object()

    def on_message(self, request: Ask) -> None:
        self.numbers.append(request.number)
        self.same = [id(self.client), id(self.table)]
        self.limit = self.limit + 1
        self.send_request_async("Python.Slow", Ask(1))

    def on_response(
        self, request: Any, response: Any, call_request: Any, call_response: Any, completion_key: Any
    ) -> Got:
        assert self.same == [id(self.client), id(self.table)]
        return Got(str(self.limit), self.numbers)


async def test_what_on_init_made_is_copied_or_shared() -> None:
    Prepared._made.clear()
    item = Item(
        definition=ItemDefinition(
            name="Python.Prepared", class_name="Python.Prepared", settings=(SettingValue("limit", "7"),)
        ),
        component=Prepared,
    )
    async with running(project(item)) as plant:
        asked = [asyncio.create_task(ask(plant, "python-prepared", Ask(number))) for number in range(3)]
        await plant.advance("5s")
        assert await asyncio.gather(*asked) == [Got("8", [7, number]) for number in range(3)]
        assert Prepared._made == [1]
        snapshot = plant.node.archive.runs(RunQuery(service="project/python-prepared"))[0].snapshot
        assert snapshot is not None
        assert len(snapshot) < 2000


class Paying(BusinessProcess):
    def on_message(self, request: Payment) -> None:
        self.payment = request
        self.cents = request.cents
        self.send_request_async("Python.Slow", Ask(1))

    def on_complete(self, request: Payment, response: Any) -> Got:
        return Got(self.payment.card)


async def test_sensitive_attributes_are_hidden_from_operators(tmp_path: Path) -> None:
    async with running(project(Paying), store=tmp_path / "store") as plant:
        asked = asyncio.create_task(ask(plant, "python-paying", Payment("4711", 5)))
        await plant.advance("0s")
        run = plant.node.archive.runs(RunQuery(service="project/python-paying"))[0]
        shown = shown_attributes(read_snapshot(run.snapshot))
        assert "4711" not in str(shown)
        assert shown["attributes"]["cents"] == 5
        await plant.advance("5s")
        assert await asked == Got("4711")


# The response -------------------------------------------------------------------------------------------------


class Plain(BusinessProcess):
    def on_message(self, request: Ask) -> Got:
        self.send_request_async("Python.Echo", request, "a description", None, False)
        return Got("from on_message")


async def test_without_requests_the_response_is_that_of_on_message() -> None:
    async with running(project(Plain)) as plant:
        assert await ask(plant, "python-plain", Ask(1, "sent")) == Got("from on_message")
        sent = next(each for each in plant.messages if each.target == "project/python-echo")
        assert (sent.kind, dict(sent.headers)) == (Kind.SEND, {"description": "a description"})
        (run,) = plant.node.archive.runs(RunQuery())
        assert (run.status, run.turns) == (RunStatus.DONE, 1)


class Changing(BusinessProcess):
    def on_message(self, request: Ask) -> Got:
        self.send_request_async("Python.Slow", Ask(1), completion_key="keep")
        self.send_request_async("Python.Slow", Ask(2), completion_key="change")
        return Got("first")

    def on_response(
        self, request: Ask, response: Got, call_request: Ask, call_response: Got, completion_key: str
    ) -> Any:
        self.log_info(response.text)
        return Got("second") if completion_key == "change" else None

    def on_complete(self, request: Ask, response: Got) -> None:
        self.log_info(response.text)


async def test_none_leaves_the_response_as_it_is() -> None:
    async with running(project(Changing)) as plant:
        asked = asyncio.create_task(ask(plant, "python-changing", Ask(1)))
        await plant.advance("5s")
        assert await asked == Got("second")
        assert lines(plant) == ["first", "first", "second"]


class Early(BusinessProcess):
    def on_message(self, request: Ask) -> None:
        self.reply(Got("early"))
        self.send_request_async("Python.Slow", Ask(60))

    def on_complete(self, request: Ask, response: Any) -> Got:
        self.log_info("complete")
        return Got("late")


async def test_an_early_reply_comes_at_once() -> None:
    async with running(project(Early)) as plant:
        assert await ask(plant, "python-early", Ask(1)) == Got("early")
        assert lines(plant) == []
        await plant.advance("2m")
        assert lines(plant) == ["complete"]


class Anew(BusinessProcess):
    """Asks again when all is there, until it has three."""

    def on_message(self, request: Ask) -> None:
        self.count = 0
        self.send_request_async("Python.Echo", Ask(0, "n"))

    def on_response(
        self, request: Ask, response: Any, call_request: Any, call_response: Got, completion_key: Any
    ) -> Got:
        self.count += 1
        return Got(f"{response.text if response else ''}{call_response.text};")

    def on_complete(self, request: Ask, response: Got) -> None:
        if self.count < 3:
            self.send_request_async("Python.Echo", Ask(self.count, "n"))


async def test_on_complete_may_ask_anew() -> None:
    async with running(project(Anew)) as plant:
        assert await ask(plant, "python-anew", Ask(1)) == Got("n 0;n 1;n 2;")


# Timers -------------------------------------------------------------------------------------------------------


class Waiting(BusinessProcess):
    """Waits ten seconds for what takes as long as the number says."""

    def on_message(self, request: Ask) -> None:
        self.set_timer("PT10S" if request.text is None else 10, "alarm")
        self.send_request_async("Python.Slow", Ask(3, "quick"), completion_key="quick")
        self.send_request_async("Python.Slow", Ask(request.number, "other"), completion_key="other")
        self.came: list[str] = []

    def on_response(
        self, request: Any, response: Any, call_request: Any, call_response: Any, completion_key: str
    ) -> None:
        assert isinstance(call_response, AlarmResponse) == (completion_key == "alarm")
        self.came.append(completion_key)

    def on_complete(self, request: Ask, response: Any) -> Got:
        return Got(" ".join(self.came))


@pytest.mark.parametrize("text", [None, "seconds"])
async def test_a_timer_ends_the_wait_and_what_comes_later_is_discarded(text: str | None) -> None:
    async with running(project(Waiting)) as plant:
        asked = asyncio.create_task(ask(plant, "python-waiting", Ask(20, text)))  # type: ignore[arg-type]
        await plant.advance("11s")
        assert await asked == Got("quick alarm")
        assert statuses(plant, "python-waiting") == [RunStatus.DONE]
        await plant.advance("1m")
        assert [line for line in lines(plant) if "came late for conversation" in line]


async def test_when_all_came_in_time_the_timer_is_over() -> None:
    async with running(project(Waiting)) as plant:
        asked = asyncio.create_task(ask(plant, "python-waiting", Ask(5)))
        await plant.advance("6s")
        assert await asked == Got("quick other")
        await plant.advance("1m")
        assert lines(plant) == []


class Polling(BusinessProcess):
    """Asks again each minute, until it is the third time."""

    def on_message(self, request: Ask) -> None:
        self.turns = 0
        self.set_timer(60)

    def on_response(
        self, request: Any, response: Any, call_request: Any, call_response: Any, completion_key: Any
    ) -> Any:
        if isinstance(call_response, AlarmResponse):
            self.send_request_async("Python.Echo", Ask(self.turns, "poll"))
            return None
        self.turns += 1
        if self.turns < 3:
            self.set_timer("PT1M")
        return call_response


async def test_a_timer_may_be_set_anew() -> None:
    async with running(project(Polling)) as plant:
        asked = asyncio.create_task(ask(plant, "python-polling", Ask(1)))
        await plant.advance("150s")
        assert statuses(plant, "python-polling") == [RunStatus.OPEN]
        await plant.advance("1m")
        assert await asked == Got("poll 2")


# Errors -------------------------------------------------------------------------------------------------------


class Failing(BusinessProcess):
    """Fails where the text of its request says so."""

    def on_message(self, request: Ask) -> None:
        self._fail(request, "message")
        self.send_request_async("Python.Echo", Ask(5, "fail" if request.text == "asked" else "ok"))
        self.send_request_async("Python.Slow", Ask(60, "other"))

    def on_response(
        self, request: Any, response: Any, call_request: Any, call_response: Any, completion_key: Any
    ) -> None:
        self.send_request_async("Python.Slow", Ask(90, "never sent"))
        self._fail(request, "response")

    def on_complete(self, request: Any, response: Any) -> None:
        self._fail(request, "complete")

    def _fail(self, request: Ask, where: str) -> None:
        if request.text == where:
            raise KeyError(f"no {where}")


@pytest.mark.parametrize(
    ("where", "error", "parked", "status"),
    [
        ("message", "KeyError: 'no message'", ["KeyError"], Status.PARKED),
        ("response", "KeyError: 'no response'", [], Status.FAILED),
        ("asked", "RuntimeError: .*ValueError: cannot do 5", ["ValueError"], Status.FAILED),
    ],
)
async def test_an_error_is_that_of_the_requester(where: str, error: str, parked: list[str], status: Status) -> None:
    async with running(project(Failing)) as plant:
        with _parked(plant, parked), pytest.raises(RequestFailed, match=error):
            await ask(plant, "python-failing", Ask(1, where))
        assert statuses(plant, "python-failing") == ([] if where == "message" else [RunStatus.FAILED])
        assert not [each for each in plant.messages if "never sent" in str(each.payload)]
        record = plant.node.archive.record(1)
        assert record is not None
        assert (record.message.target, record.status) == ("project/python-failing", status)


def _parked(plant: RunningFlow, kinds: list[str]) -> Any:
    stack = contextlib.ExitStack()
    for kind in kinds:
        stack.enter_context(plant.expect_parked(kind))
    return stack


class Catching(BusinessProcess):
    def on_message(self, request: Ask) -> Got:
        try:
            return self.send_request_sync("Python.Echo", Ask(1, "fail"))
        except RuntimeError as error:
            return Got(str(error))


async def test_a_failed_request_that_waits_is_an_exception() -> None:
    async with running(project(Catching)) as plant:
        with plant.expect_parked("ValueError"):
            assert "cannot do 1" in (await ask(plant, "python-catching", Ask(1))).text


class Wrong(BusinessProcess):
    def on_message(self, request: Ask) -> Any:
        return {"text": "a dictionary"}


async def test_a_response_that_is_no_message_is_the_error_of_the_process() -> None:
    async with running(project(Wrong)) as plant:
        with plant.expect_parked(TypeError, match="the response of Python.Wrong|the response of python-wrong"):
            with pytest.raises(RequestFailed, match="it is dict"):
                await ask(plant, "python-wrong", Ask(1))


# Callbacks that wait ------------------------------------------------------------------------------------------


class Stepping(BusinessProcess):
    """Asks and waits within its callbacks; each goes on for a while."""

    def on_message(self, request: Ask) -> None:
        self.first = self.send_request_sync("Python.Echo", Ask(1, "first")).text
        self.second = self.send_request_sync("Python.Slow", Ask(30, "second")).text
        self.send_request_async("Python.Slow", Ask(10, "third"))

    def on_response(
        self, request: Any, response: Any, call_request: Any, call_response: Got, completion_key: Any
    ) -> Got:
        fourth = self.send_request_sync("Python.Slow", Ask(30, "fourth"))
        return Got(", ".join([self.first, self.second, call_response.text, fourth.text]))


async def test_a_callback_that_waits_goes_on_behind_a_kill_with_the_replies_that_came(tmp_path: Path) -> None:
    async with running(project(Stepping), store=tmp_path / "store") as plant:
        await plant.send("python-stepping", Ask(1))
        for _ in range(5):
            await plant.advance("20s")
            await plant.restart()
        assert statuses(plant, "python-stepping") == [RunStatus.DONE]
        asked = [each.body for each in plant.messages if each.target != "project/python-stepping" and each.body]
        texts = [body["text"] for body in asked if "number" in body]
        assert sorted(texts) == ["first", "fourth", "second", "third"]


# Pools --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "wanted_size"), [(3, 3), (0, 5)])
def test_a_pool_of_zero_is_the_actor_pool(size: int, wanted_size: int) -> None:
    item = Item(
        definition=ItemDefinition(name="Python.Slow", class_name="Python.Slow", pool_size=size),
        component=Slow,
        production=ProductionDefinition(name="Demo", actor_pool_size=5),
    )
    assert process_spec(item).policies.pool.size == wanted_size


# Which method ---------------------------------------------------------------------------------------------------


class Sorting(BusinessProcess):
    """Its methods have names that conversations use for something else."""

    def timer(self, request: Ask) -> Got:
        return Got("an Ask")

    def fail(self, request: Payment) -> Got:
        return Got("a Payment")

    def on_message(self, request: Any) -> Got:
        return Got(f"a {type(request).__name__}")


async def test_a_typed_method_takes_its_type_and_on_message_the_rest() -> None:
    async with running(project(Sorting)) as plant:
        for body, text in ((Ask(1), "an Ask"), (Payment(), "a Payment"), (Got(), "a Got")):
            assert await ask(plant, "python-sorting", body) == Got(text)


async def test_from_outside_a_known_type_may_be_named_for_on_message() -> None:
    async with running(project(Sorting)) as plant:
        engine = plant.node.engine
        host = engine.hosts["project/python-sorting"]
        entry = handler_for(engine, host, type_name(Got))
        assert entry.read(Raw(b'{"text": "x"}')) == Got("x")
        assert entry.link.handler == ""
        with pytest.raises(NoHandler, match="nothing.Known"):
            handler_for(engine, host, "nothing.Known")


class Hooked(BusinessProcess):
    """Does in its hook what only a callback of a request can."""

    def on_init(self) -> None:
        self.send_request_async("Python.Echo", Ask(1), response_required=False)
        self.first = self.send_request_sync("Python.Echo", Ask(1, "init"))
        for forbidden in (
            lambda: self.send_request_async("Python.Echo", Ask(1)),
            lambda: self.set_timer(1),
            lambda: self.reply(Got()),
        ):
            with pytest.raises(RuntimeError, match="here: on_init and on_tear_down belong to no request"):
                forbidden()

    def on_message(self, request: Ask) -> Got:
        return self.first


async def test_hooks_belong_to_no_request() -> None:
    async with running(project(Hooked)) as plant:
        assert await ask(plant, "python-hooked", Ask(1)) == Got("init 1")
