"""A flow under test: time, messages, what is captured, replaced, left out, made to fail, killed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from junctor import Flow, Service, Target, action, cron, every, handler
from junctor.errors import ConfigurationError, JunctorError, RequestFailed, RequestTimeout
from junctor.testing import NotAtRest, Unexpected, running
from tests.integration.testing.plant import Alarm, Ask, Mail, Monitor, Office, Reading, plant


async def test_schedules_fire_and_what_they_send_is_delivered() -> None:
    async with running(plant(), without="office") as flow:
        await flow.advance("1h")
        assert flow.now == datetime(2030, 1, 1, 1, tzinfo=UTC)
        assert flow.sent("monitor.readings") == [Reading("cpu", 1.0)] * 61
        assert flow.received("alarm") == flow.sent("monitor")
        assert flow.state("alarm") == {"count": 61}


async def test_sends_requests_and_calls() -> None:
    async with running(plant(), without=["office", "monitor"]) as flow:
        await flow.send("alarm", Reading("cpu", 93.0))
        assert flow.sent("alarm.mails") == [Mail("cpu is at 93")]
        assert [(log.service, log.text) for log in flow.logs] == [("alarm", "cpu above 80.0")]
        assert await flow.request("alarm", Ask(1)) == 2
        assert await flow.call("alarm", "reset") == "reset"
        trace = flow.trace(flow.messages[0])
        assert [hop.message.type for hop in trace.hops] == ["Reading", "Mail"]


async def test_a_delayed_message_comes_when_it_is_due() -> None:
    async with running(plant(), without=["office", "monitor"]) as flow:
        await flow.send("alarm", Reading("a", 1.0), delay="10s")
        await flow.advance("9.999999s")
        assert flow.state("alarm") == {}
        await flow.advance("1ms")
        assert flow.state("alarm") == {"count": 1}


async def test_settings_are_set_over_those_of_the_flow() -> None:
    async with running(plant(), set={"alarm.limit": 5}, capture="alarm.mails") as flow:
        await flow.send("alarm", Reading("a", 6.0))
        assert flow.sent("alarm.mails") == [Mail("a is at 6")]


# What leads out ---------------------------------------------------------------------------------------------


class Crm(Service):
    @handler
    async def on_ask(self, ask: Ask) -> str:
        raise ConnectionError("no CRM here")


class Shop(Service):
    crm: Target[Ask, str]
    copies: Target[Ask]
    answers: Target[Mail]

    @handler
    async def on_reading(self, reading: Reading) -> None:
        await self.copies.send(Ask(1))
        await self.copies.send(Ask(2))
        await self.answers.send(Mail(await self.crm.request(Ask(int(reading.value)))))


class Box(Service):
    @handler
    def keep(self, mail: Mail) -> None:
        self.state["last"] = mail.text


def shop() -> Flow:
    return Flow("shop").add(Shop(), connect={"crm": "crm", "copies": "crm"}).add(Crm()).add(Box())


async def test_a_captured_target_answers_with_what_was_prepared() -> None:
    async with running(shop(), capture="shop.copies") as flow:
        flow.capture("shop.crm", reply=lambda ask: f"answer {ask.number}")
        await flow.send("shop", Reading("a", 7.0))
        assert flow.sent("shop.copies") == [Ask(1), Ask(2)]
        assert flow.sent("shop.crm") == [Ask(7)]
        assert flow.state("box") == {"last": "answer 7"}


async def test_a_captured_target_may_refuse() -> None:
    async with running(shop(), capture="shop.copies") as flow:
        flow.capture("shop.crm", reply=RuntimeError("no such customer"))
        with flow.expect_parked(RequestFailed) as parked, flow.expect_parked("RuntimeError"):
            await flow.send("shop", Reading("a", 7.0))
            await flow.advance("1m")
        assert parked.bodies == [Reading("a", 7.0)]


async def test_a_request_over_a_captured_target_without_a_reply_says_so() -> None:
    async with running(shop(), without="crm") as flow:
        with flow.expect_parked("Park", match=r'plant\.capture\("shop\.crm", reply=\.\.\.\)'), flow.expect_parked():
            await flow.send("shop", Reading("a", 7.0))


async def test_without_a_service_what_goes_to_it_is_captured() -> None:
    async with running(shop(), without="crm") as flow:
        flow.capture("shop.crm", reply="fine")
        await flow.send("shop", Reading("a", 7.0))
        assert flow.sent("shop.copies") == [Ask(1), Ask(2)]
        with pytest.raises(ConfigurationError, match="left out"):
            await flow.send("crm", Ask(1))


async def test_a_fake_takes_the_place_of_a_service() -> None:
    class FakeCrm(Service):
        @handler
        async def on_ask(self, ask: Ask) -> str:
            return f"fake {ask.number}"

    async with running(shop(), replace={"crm": FakeCrm()}) as flow:
        await flow.send("shop", Reading("a", 7.0))
        assert flow.state("box") == {"last": "fake 7"}


async def test_a_fake_must_take_what_is_sent_to_it() -> None:
    with pytest.raises(ConfigurationError, match="crm"):
        async with running(shop(), replace={"crm": Box()}):
            pass


# What fails -------------------------------------------------------------------------------------------------


async def test_a_parked_message_fails_the_test_and_is_told() -> None:
    with pytest.raises(Unexpected) as raised:
        async with running(plant(), without=["office", "monitor"]) as flow:
            await flow.send("alarm", Reading("cpu", -1.0))
            await flow.advance("1m")
    told = str(raised.value)
    assert told.startswith("alarm parked a message after 5 attempts: ValueError: negative: -1.0\n")
    assert "plant.py" in told and 'raise ValueError(f"negative: {reading.value}")' in told
    assert "the message: Reading(sensor='cpu', value=-1.0)" in told
    assert "its way: client -> alarm Reading" in told
    assert "plant.expect_parked(ValueError)" in told


async def test_expected_parking_passes_and_gives_the_messages() -> None:
    async with running(plant(), without=["office", "monitor"]) as flow:
        with flow.expect_parked(ValueError, match="negative", times=2) as parked:
            await flow.send("alarm", Reading("cpu", -1.0))
            await flow.send("alarm", Reading("cpu", -2.0))
            await flow.advance("1m")
        assert parked.bodies == [Reading("cpu", -1.0), Reading("cpu", -2.0)]
        assert [one.error for one in flow.parked] == ["ValueError: negative: -1.0", "ValueError: negative: -2.0"]


async def test_what_was_expected_and_did_not_happen_fails() -> None:
    async with running(plant(), without=["office", "monitor"]) as flow:
        with flow.expect_parked(), pytest.raises(Unexpected, match="(?s)with ZeroDivisionError; these were:.*negative"):
            with flow.expect_parked(ZeroDivisionError):
                await flow.send("alarm", Reading("cpu", -1.0))
                await flow.advance("1m")
        with pytest.raises(Unexpected, match="no message was parked"), flow.expect_parked():
            pass


async def test_the_error_of_the_test_itself_comes_first() -> None:
    with pytest.raises(KeyError):
        async with running(plant(), without=["office", "monitor"]) as flow:
            await flow.send("alarm", Reading("cpu", -1.0))
            raise KeyError("mine")


async def test_a_failure_is_injected_as_often_as_it_is_told() -> None:
    async with running(plant(), without=["office", "monitor"]) as flow:
        flow.fail("alarm", ConnectionError("gone"), times=2)
        await flow.send("alarm", Reading("cpu", 1.0))
        assert flow.state("alarm") == {}
        await flow.advance("0.599999s")  # 200 ms, then 400 ms: no jitter in tests
        assert flow.state("alarm") == {}
        await flow.advance("0.000001s")
        assert flow.state("alarm") == {"count": 1}


async def test_a_failure_for_some_messages_only() -> None:
    async with running(plant(), without=["office", "monitor"]) as flow:
        flow.fail("alarm.on_reading", ValueError("no b"), times=None, when=lambda reading: reading.sensor == "b")
        with flow.expect_parked(ValueError) as parked:
            for sensor in "abc":
                await flow.send("alarm", Reading(sensor, 1.0))
            await flow.advance("1h")
        assert parked.bodies == [Reading("b", 1.0)]
        assert flow.state("alarm") == {"count": 2}


async def test_a_failure_that_was_never_raised_fails_the_test() -> None:
    with pytest.raises(Unexpected, match=r"(?s)not raised.*alarm\.on_ask: ConnectionError\('gone'\), 2 more times"):
        async with running(plant(), without=["office", "monitor"]) as flow:
            flow.fail("alarm.on_ask", ConnectionError("gone"), times=2)


async def test_a_tick_that_fails_fails_the_test_unless_it_was_injected() -> None:
    class Clumsy(Service):
        @every("1m")
        async def poll(self) -> None:
            raise LookupError("nothing there")

    with pytest.raises(Unexpected, match="(?s)the tick clumsy.poll failed: LookupError: nothing there.*LookupError"):
        async with running(Clumsy()):
            pass
    with pytest.raises(Unexpected, match=r'(?s)and 10 more like it.*plant\.expect_failed\("clumsy"\)') as raised:
        async with running(Clumsy()) as flow:
            await flow.advance("10m")
    assert str(raised.value).count("nothing there") == 2
    async with running(Clumsy()) as flow:
        flow.expect_failed("clumsy")
    async with running(plant(), without="office") as flow:
        flow.fail("monitor.poll", OSError("gone"))
        await flow.advance("2m")
        assert len(flow.sent("monitor.readings")) == 2


async def test_an_outage_holds_the_service_and_heals() -> None:
    flow = Flow("plant").add(Alarm(), retry={"on": {"ConnectionError": "hold"}}, connect={}).add(Office())
    async with running(flow, without="office") as plant:
        plant.fail("alarm", ConnectionError("away"), times=3)
        for _ in range(5):
            await plant.send("alarm", Reading("cpu", 1.0))
        await plant.advance("6.9s")  # probes after 1, 2 and 4 seconds
        assert plant.state("alarm") == {}
        assert [alert.kind for alert in plant.alerts] == ["held"]
        await plant.advance("0.1s")
        assert plant.state("alarm") == {"count": 5}
        assert [alert.kind for alert in plant.alerts] == ["held", "flowing"]


async def test_an_outage_of_a_tick_is_tried_again_in_virtual_time() -> None:
    away = {"retry": {"on": {"ConnectionError": "hold"}}, "hold": {"jitter": 0}}
    flow = Flow("plant").add(Monitor(), **away).add(Alarm(), connect={}).add(Office())
    async with running(flow, without="office") as plant:
        plant.fail("monitor.poll", ConnectionError("away"), times=4)
        await plant.advance("74.9s")  # the second tick, at one minute; tries after 1, 2, 4 and 8 seconds
        assert len(plant.sent("monitor.readings")) == 1
        assert [alert.kind for alert in plant.alerts] == ["away"]
        await plant.advance("0.1s")
        assert len(plant.sent("monitor.readings")) == 2
        assert [alert.kind for alert in plant.alerts] == ["away", "back"]
        await plant.advance("45s")
        assert len(plant.sent("monitor.readings")) == 3, "the rhythm is the old one"


async def test_an_outage_of_a_loop_is_tried_again_in_virtual_time() -> None:
    class Broker(Service):
        calls = 0

        def loop(self) -> None:
            Broker.calls += 1
            if Broker.calls < 4:
                raise ConnectionError("no broker")
            bool(self.sleep("1h"))

    async with running(Flow("plant").add(Broker, retry={"on": {"ConnectionError": "hold"}})) as plant:
        await plant.advance("10s")
        assert Broker.calls == 4
        await plant.advance("1m")
        assert [alert.kind for alert in plant.alerts] == ["away", "back"]


async def test_a_start_that_fails_is_tried_again_after_its_pause() -> None:
    class Careful(Alarm):
        starts = 0

        async def on_start(self) -> None:
            Careful.starts += 1

    async with running(
        Flow("plant").add(Careful(), "alarm").add(Office()), fail={"alarm.on_start": OSError("no")}
    ) as plant:
        assert Careful.starts == 0
        await plant.send("alarm", Reading("a", 1.0))
        await plant.advance("0.099s")
        assert Careful.starts == 0
        await plant.advance("0.001s")
        assert Careful.starts == 1
        assert plant.state("alarm") == {"count": 1}


async def test_a_service_that_is_down_at_the_end_fails_the_test() -> None:
    class Broken(Service):
        async def on_start(self) -> None:
            raise OSError("no device")

        @action
        def nothing(self) -> None: ...

    with pytest.raises(Unexpected, match="the service broken failed and waits to be started again: OSError: no device"):
        async with running(Broken()):
            pass
    with pytest.raises(Unexpected, match="the service broken failed and stays stopped"):
        async with running(Broken()) as plant:
            await plant.advance("1h")
    async with running(Broken()) as plant:
        plant.expect_failed("broken")


# Names ------------------------------------------------------------------------------------------------------


async def test_wrong_names_are_answered_with_the_right_ones() -> None:
    async with running(plant(), without="office") as flow:
        for wrong, right in (
            (lambda: flow.sent("monitor.reading"), "monitor.readings"),
            (lambda: flow.sent("montor"), "monitor"),
            (lambda: flow.capture("alarm.mail"), "alarm.mails"),
            (lambda: flow.fail("alarm.on_reding", OSError()), "on_reading"),
            (lambda: flow.fail("monitor", OSError()), "monitor.poll"),
        ):
            with pytest.raises(JunctorError, match=right):
                wrong()
    for words in ({"set": {"alarm.limt": 5}}, {"replace": {"alrm": Alarm()}}, {"without": "offce"}):
        with pytest.raises(ConfigurationError, match="Did you mean"):
            async with running(plant(), **words):  # type: ignore[arg-type]
                pass
    with pytest.raises(ConfigurationError, match='Did you mean "without"'):
        running(plant(), withou="office")  # type: ignore[call-arg]


# Time -------------------------------------------------------------------------------------------------------


async def test_a_request_that_needs_time_says_so() -> None:
    class Slow(Service):
        @handler
        async def on_ask(self, ask: Ask) -> int:
            await self.sleep("10s")
            return ask.number

    async with running(Slow()) as plant:
        with pytest.raises(NotAtRest, match="(?s)the next thing comes due in 10 s.*within="):
            await plant.request("slow", Ask(1))
        await plant.advance("10s")
        before = plant.now
        assert await plant.request("slow", Ask(2), within="1m") == 2
        assert plant.now - before == timedelta(seconds=10)
        with pytest.raises(RequestTimeout):
            await plant.request("slow", Ask(3), timeout="3s", within="1m")
        assert plant.now - before == timedelta(seconds=13)
        await plant.advance("1m")


async def test_cron_follows_its_time_zone_over_the_change_of_the_clocks() -> None:
    seen: list[datetime] = []

    class Daily(Service):
        @cron("30 2 * * *", zone="Europe/Berlin")
        async def report(self) -> None:
            seen.append(self.now())

    start = datetime(2026, 3, 27, 23, tzinfo=UTC)
    async with running(Daily(), start=start) as plant:
        await plant.advance("3d")
    # On the 29th there is no 02:30; it comes at 03:00, the moment the clocks jumped to.
    assert [f"{at:%d %H:%M}" for at in seen] == ["28 01:30", "29 01:00", "30 00:30"]


@pytest.mark.parametrize("loop", ["shared", "own"])
async def test_a_service_sees_the_time_of_the_test_wherever_its_code_runs(loop: Any) -> None:
    class Watch(Service):
        @handler
        async def on_ask(self, ask: Ask) -> str:
            before = self.now()
            await self.sleep("20s")
            return f"{before:%H:%M:%S} {self.now():%H:%M:%S}"

        @action
        def blocking(self) -> str:
            return self.now().isoformat()

    async with running(Flow("plant").add(Watch(), loop=loop), start=datetime(2031, 2, 3, tzinfo=UTC)) as plant:
        await plant.advance("1h")
        assert await plant.call("watch", "blocking") == "2031-02-03T01:00:00+00:00"
        assert await plant.request("watch", Ask(1), within="1m") == "01:00:00 01:00:20"


# Killed -----------------------------------------------------------------------------------------------------


async def test_after_a_kill_what_was_in_flight_is_delivered_again(tmp_path: Path) -> None:
    began: list[str] = []
    stopped: list[str] = []

    class Slow(Service):
        mails: Target[Mail]

        @handler
        async def on_reading(self, reading: Reading) -> None:
            began.append(reading.sensor)
            await self.mails.send(Mail(reading.sensor))
            self.state["count"] = self.state.get("count", 0) + 1
            await self.sleep("10s")

        def on_stop(self) -> None:
            stopped.append("stopped")

    async with running(Flow("f").add(Slow()).add(Box()), store=tmp_path) as plant:
        for sensor in "ab":
            await plant.send("slow", Reading(sensor, 1.0))
        await plant.advance("12s")
        assert began == ["a", "b"] and plant.state("slow") == {"count": 1}
        await plant.restart()
        assert began == ["a", "b", "b"] and not stopped
        assert plant.sent("slow.mails") == [Mail("a")]
        await plant.advance("10s")
        assert plant.sent("slow.mails") == [Mail("a"), Mail("b")]
        assert plant.state("slow") == {"count": 2} and plant.state("box") == {"last": "b"}
    assert stopped == ["stopped"]


async def test_what_is_accepted_survives_a_kill_and_schedules_go_on(tmp_path: Path) -> None:
    async with running(plant(), store=tmp_path, without="office") as flow:
        await flow.send("alarm", Reading("late", 1.0), delay="1h")
        await flow.advance("2m")
        for _ in range(3):
            await flow.restart()
        await flow.advance("1h")
        assert Reading("late", 1.0) in flow.received("alarm")
        assert flow.state("alarm")["count"] == len(flow.received("alarm"))


async def test_memory_does_not_outlive_a_kill() -> None:
    async with running(plant()) as flow:
        with pytest.raises(ConfigurationError, match="store=tmp_path"):
            await flow.restart()


async def test_the_store_outlives_the_test_block(tmp_path: Path) -> None:
    for count in (1, 2):
        async with running(plant(), store=tmp_path, without=["office", "monitor"]) as flow:
            await flow.send("alarm", Reading("a", 1.0))
            assert flow.state("alarm") == {"count": count}


# HTTP -------------------------------------------------------------------------------------------------------


async def test_http_in_the_process() -> None:
    async with running(plant(), without="office") as flow:
        answer = await flow.http.get("/alarms/cpu", params={"limit": 7})
        assert (answer.status, answer.json()) == (200, {"sensor": "cpu", "limit": 7, "count": 1})
        assert answer.headers["content-type"].startswith("application/json")
        assert (await flow.http.get("/alarms/cpu?limit=x")).status == 422
        assert (await flow.http.get("/nothing")).status == 404
        assert (await flow.http.post("/alarm/reset", json={})).json() == "reset"


# What can be run --------------------------------------------------------------------------------------------


async def test_a_service_alone_has_its_targets_captured() -> None:
    async with running(Alarm(limit=5)) as plant:
        plant.capture("alarm.mails")
        await plant.send("alarm", Reading("cpu", 6.0))
        assert plant.sent("alarm.mails") == [Mail("cpu is at 6")]
    async with running(Monitor) as plant:
        await plant.advance("5m")
        assert len(plant.sent("monitor.readings")) == 6


async def test_a_file_and_a_module_can_be_run() -> None:
    import tests.integration.testing.functions as functions

    for flow in (Path(__file__).with_name("functions.py"), functions):
        async with running(flow) as plant:
            assert await plant.call("functions", "double", number=4) == 8


YAML = """
flow: small
services:
  alarm: {class: plant:Alarm, settings: {limit: 2}, connect: {mails: office}, restart: {initial: 2s}}
  office: {class: plant:Office}
"""


async def test_a_yaml_file_can_be_run(tmp_path: Path) -> None:
    (tmp_path / "flow.yaml").write_text(YAML)
    (tmp_path / "plant.py").write_text(Path(__file__).with_name("plant.py").read_text())
    import sys

    path, modules = list(sys.path), set(sys.modules)
    try:
        async with running(tmp_path / "flow.yaml", without="office") as plant:
            reading = sys.modules["plant"].Reading
            await plant.send("alarm", reading("a", 1.0))
            await plant.send("alarm", reading("a", 3.0))
            assert [mail.text for mail in plant.sent("alarm.mails")] == ["a is at 3"]
    finally:
        sys.path[:] = path
        for name in set(sys.modules) - modules:
            if name == "plant":
                del sys.modules[name]


async def test_a_body_goes_to_the_handler_that_takes_it() -> None:
    class Plain(Service):
        @handler
        async def on_list(self, readings: list[Reading]) -> int:
            return len(readings)

        @handler
        async def on_other(self, body: Any) -> str:
            return type(body).__name__

    async with running(Plain()) as plant:
        assert await plant.request("plain", [Reading("a", 1.0)]) == 1
        assert await plant.request("plain", Mail("x")) == "Mail"
        assert await plant.request("plain", {"a": 1}) == "dict"


async def test_ids_are_the_same_in_each_run() -> None:
    seen = []
    for _ in range(2):
        async with running(plant(), without="office") as flow:
            receipt = await flow.send("alarm", Reading("a", 1.0))
            seen.append((receipt.id, receipt.session, flow.now))
    assert seen[0] == seen[1] and seen[0][0].startswith("test-")


async def test_a_long_row_of_messages_is_no_standstill() -> None:
    class Counting(Service):
        again: Target[Ask]

        @handler
        async def on_ask(self, ask: Ask) -> None:
            if ask.number:
                await self.again.send(Ask(ask.number - 1))

    flow = Flow("f").add(Counting(), connect={"again": "counting"})
    async with running(flow, patience=0.05) as plant:
        await plant.send("counting", Ask(5000))
        assert len(plant.received("counting")) == 5001


def test_a_real_listener_for_other_clients() -> None:
    import urllib.request

    with running(plant(), without="office", http=True) as flow:
        flow.advance("1h")
        with urllib.request.urlopen(f"{flow.url}/alarms/cpu") as answer:
            assert json.load(answer)["count"] == 61


def test_a_kill_frees_threads_that_sleep(tmp_path: Path) -> None:
    """Blocking code that is left behind wakes up to nothing: what it does then counts for nobody."""
    ended: list[str] = []

    class Slow(Service):
        mails: Target[Mail]

        @handler
        def on_reading(self, reading: Reading) -> None:
            self.sleep("10s")
            self.mails.send(Mail(reading.sensor))
            ended.append(reading.sensor)

    with running(Flow("f").add(Slow()).add(Box()), store=tmp_path) as flow:
        flow.send("slow", Reading("a", 1.0))
        flow.advance("5s")
        flow.restart()
        assert flow.received("box") == []
        flow.advance("10s")
        assert flow.received("box") == [Mail("a")]
    assert ended == ["a"]
