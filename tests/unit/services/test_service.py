"""A service object in the hands of its author: constructor, blueprint, and use without a node."""

from __future__ import annotations

import asyncio
import inspect
import logging
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from junctor.errors import ConfigurationError, JunctorError, NotRunning, OutsideDelivery, SettingError
from junctor.messages import Kind, Message
from junctor.services import Service, Target, published
from junctor.settings import Duration, Secret, setting

if TYPE_CHECKING:
    from collections import Counter


@dataclass
class Reading:
    sensor: str
    value: float


@dataclass
class Verdict:
    high: bool


class Base(Service):
    unit: str = setting("percent")
    plain: int = 3


class Alarm(Base):
    limit: float = setting(80.0, ge=0, le=100)
    wait: Duration = setting("2s")
    token: Secret = setting(Secret("hunter2"))
    counts: Counter[str]  # known to type checkers only: not Junctor's affair
    readings: Target[Reading]
    judge: Target[Reading, Verdict] | None

    def on_reading(self, reading: Reading) -> bool:
        return reading.value > self.limit


# Constructor --------------------------------------------------------------------------------------------------


def test_settings_are_keywords_converted_and_checked() -> None:
    alarm = Alarm(limit="75", unit="C")  # type: ignore[arg-type]
    assert (alarm.limit, alarm.unit, alarm.wait, alarm.plain) == (75.0, "C", 2.0, 3)
    assert alarm.on_reading(Reading("cpu", 91))
    assert Alarm(limit=99).on_reading(Reading("cpu", 91)) is False


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"limt": 1}, 'Alarm.limt: there is no such setting. Did you mean "limit"?'),
        ({"limit": "high"}, 'Alarm.limit: expected float, got "high". Give a number, for example 80.'),
        ({"limit": 101}, "Alarm.limit: 101.0 is above the maximum of 100. Give a number from 0 to 100."),
        (
            {"plain": 1},
            "Alarm.plain: is not a setting. To make this attribute one, declare it with setting()",
        ),
        (
            {"readings": None},
            'Alarm.readings: is not a setting. It is a target; connect it in the flow: connect={"readings"',
        ),
    ],
)
def test_a_wrong_setting_is_refused_at_once(given: dict[str, Any], text: str) -> None:
    with pytest.raises(SettingError) as caught:
        Alarm(**given)
    assert text in str(caught.value)


def test_a_setting_without_default_must_be_given() -> None:
    class Needs(Service):
        path: str = setting()

    with pytest.raises(SettingError, match="Needs.path: is missing and has no default. Give it a value: path=..."):
        Needs()
    assert Needs(path="a").path == "a"


def test_the_signature_is_shown_to_tools() -> None:
    assert str(inspect.signature(Alarm)) == (
        "(*, unit: 'str' = 'percent', limit: 'float' = 80.0, wait: 'Duration' = '2s', token: 'Secret' = Secret('***'))"
    )


def test_repr_shows_settings_and_no_secret() -> None:
    assert repr(Alarm(limit=1)) == "Alarm(unit='percent', limit=1.0, wait=2.0, token=***)"


def test_a_setting_can_be_replaced_by_a_plain_value_in_a_subclass() -> None:
    class Fixed(Alarm):
        limit = 50.0

    assert Fixed().limit == 50.0
    with pytest.raises(SettingError, match="is not a setting"):
        Fixed(limit=3)


def test_an_untyped_setting_says_how_to_write_it() -> None:
    class Untyped(Service):
        limit = setting(80.0)

    with pytest.raises(ConfigurationError, match="Untyped.limit: the setting has no type.*limit: float = setting"):
        Untyped()


def test_a_constructor_of_ones_own_needs_no_call_of_ours() -> None:
    class Own(Service):
        limit: float = setting(80.0)

        def __init__(self, start: int) -> None:
            self.count = start

    own = Own(5)
    assert (own.count, own.limit, own.name) == (5, 80.0, "own")
    own.state["a"] = 1


def test_without_a_node_it_is_the_time_of_the_machine() -> None:
    before = datetime.now(UTC)
    told = Alarm().now()
    assert told.tzinfo is UTC
    assert before - timedelta(milliseconds=1) <= told <= datetime.now(UTC) + timedelta(milliseconds=1)


@pytest.mark.parametrize("name", ["state", "log", "name", "message", "target", "now", "sleep", "publish", "stopping"])
def test_names_that_service_needs_are_refused(name: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        type("Line", (Service,), {name: 1})
    assert f'Line.{name}: the name "{name}" is taken by Service. Choose another name, for example line_{name}.' in str(
        caught.value
    )
    with pytest.raises(ConfigurationError, match="taken by Service"):
        type("Line", (Service,), {"__annotations__": {name: Target[Reading]}})


def test_what_junctor_provides_cannot_be_replaced_on_an_object() -> None:
    with pytest.raises(ConfigurationError, match=r'Alarm.state: .*Assign an entry: self.state\["name"\] = value'):
        Alarm().state = {}  # type: ignore[misc,assignment]
    with pytest.raises(ConfigurationError, match=r"Alarm.log: .*Choose another name than log"):
        Alarm().log = None  # type: ignore[misc,assignment]


# Without a node -----------------------------------------------------------------------------------------------


def test_name_and_log(caplog: pytest.LogCaptureFixture) -> None:
    class MachineMonitor(Service):
        pass

    monitor = MachineMonitor()
    monitor.log.warning("high")
    assert monitor.name == "machine-monitor"
    assert caplog.record_tuples == [("machine-monitor", logging.WARNING, "high")]


def test_targets_record_by_themselves() -> None:
    alarm = Alarm()
    alarm.readings.send(Reading("cpu", 1))
    assert alarm.readings.sent == [Reading("cpu", 1)]
    assert Alarm().readings.sent == []
    assert alarm.judge is not None
    alarm.judge.answers.append(Verdict(True))
    assert alarm.judge.request(Reading("cpu", 2)).result() == Verdict(True)
    with pytest.raises(NotRunning, match=r"alarm.judge.answers.append"):
        alarm.judge.request(Reading("cpu", 3))


def test_a_target_found_at_run_time_records_too() -> None:
    alarm = Alarm()
    alarm.target("log", Reading).send(Reading("cpu", 1))
    assert alarm.target("log", Reading).sent == [Reading("cpu", 1)]


def test_an_unknown_attribute_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'Alarm' object has no attribute 'nothing'"):
        _ = Alarm().nothing  # type: ignore[attr-defined]
    assert not hasattr(Alarm(), "counts")


async def test_published_bodies_are_kept() -> None:
    alarm = Alarm()
    assert await alarm.publish(Reading("a", 1)) == 0
    assert await alarm.broadcast(Reading("b", 1)) == 0
    assert published(alarm) == [Reading("a", 1), Reading("b", 1)]


def test_there_is_no_message_until_a_test_gives_one() -> None:
    alarm = Alarm()
    with pytest.raises(OutsideDelivery, match=r"In a test: service.message = Message.example\(body\), before"):
        _ = alarm.message
    alarm.message = Message.example(Reading("a", 1), headers={"who": "me"})  # type: ignore[misc]
    assert (alarm.message.body, alarm.message.type, alarm.message.headers["who"]) == (Reading("a", 1), "Reading", "me")
    alarm.message = Message(1, "n", 2, Kind.SEND, "a", "b", "Reading", b"{}", 0)  # type: ignore[misc]
    assert alarm.message.id == "n-1"


async def test_sleep_in_async_code() -> None:
    alarm = Alarm()
    assert await alarm.sleep("1ms") is False
    assert await alarm.sleep(0) is False
    assert alarm.stopping is False
    with pytest.raises(JunctorError, match=r"sleep\(\) was not awaited. In async code write: await"):
        if alarm.sleep("1ms"):
            pass


def test_sleep_in_blocking_code() -> None:
    begin = time.monotonic()
    assert not Alarm().sleep("20ms")
    assert time.monotonic() - begin >= 0.02
    with pytest.raises(ValueError, match="is not a duration"):
        Alarm().sleep("a bit")


def test_sleep_blocks_in_a_thread_beside_a_loop() -> None:
    done = []

    async def main() -> None:
        thread = threading.Thread(target=lambda: done.append(bool(Alarm().sleep("1ms"))))
        thread.start()
        await asyncio.sleep(0.02)
        thread.join()

    asyncio.run(main())
    assert done == [False]


def test_the_optional_methods_do_nothing_by_themselves() -> None:
    alarm = Alarm()
    assert (alarm.on_start(), alarm.on_stop(), alarm.loop()) == (None, None, None)
