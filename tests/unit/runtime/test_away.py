"""The other side of a tick or ``loop()`` is away: told once, tried again, no failure, and never stopped for good."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from junctor.clock import VirtualClock
from junctor.core.lifecycle import State
from junctor.core.outcome import Hold, Rest
from junctor.core.policy import HoldPolicy, RestartPolicy, RetryPolicy
from junctor.core.records import Query, Record
from junctor.core.spec import ServiceSpec
from junctor.errors import StoreFull
from junctor.messages import Kind
from junctor.node.alerting.outlook import facts_of
from junctor.node.views.status import ServiceStatus, status_of
from junctor.observe.logs import noted
from junctor.runtime.scheduler import tick as tick_by_hand
from tests.unit.runtime.flowkit import Away, Item, Me, Node, Seen, Store, running, schedule, service

HOLDING: dict[str, Any] = {
    "retry": RetryPolicy(on={"ConnectionError": "hold"}),
    "hold": HoldPolicy(initial=1, factor=2, max=8, jitter=0),
    "restart": RestartPolicy(limit=1),
}


class Line:
    """The line to the other side: what a tick or ``loop()`` meets, and when it tried."""

    def __init__(self, clock: VirtualClock, error: BaseException | None = None) -> None:
        self.error = error
        self.at: list[float] = []
        self.stays = 0.0
        self._clock = clock

    async def use(self, me: Me) -> None:
        self.at.append(round(self._clock.monotonic(), 3))
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        if self.stays:
            await me.port.sleep(self.stays)

    def use_in_thread(self, me: Me) -> None:
        self.at.append(round(self._clock.monotonic(), 3))
        if self.error is not None:
            raise self.error
        me.port.sleep(3600).result()


def polling(line: Line, every: float = 10, **policies: Any) -> ServiceSpec:
    return service("in", every=every, tick=line.use, **{**HOLDING, **policies})


def ticks(node: Node) -> list[Record]:
    found = node.engine.transport.archive.search(Query(limit=1000))
    return [one for one in found if one.message.kind is Kind.TICK]


def shown(node: Node, name: str = "in") -> ServiceStatus:
    return next(one for one in status_of(node.engine, {}, {}).services if one.service == name)


async def test_a_tick_is_tried_again_with_back_off_and_then_keeps_its_rhythm(
    store: Store, clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    line = Line(clock, Away("nobody there"))
    async with running(store, polling(line), clock=clock) as node:
        await node.advance(20)
        assert line.at == [0, 1, 3, 7, 15], "waits of 1, 2, 4, 8: sooner than its interval, and later"
        host = node.host("in")
        assert (host.lifecycle.state, host.restarts, host.counters.failed, host.last_error) == (State.RUNNING, 0, 0, "")
        assert ticks(node) == [], "no failed tick is recorded"
        assert [alert.text for alert in node.alerts("away")] == ["flow/in: the other side is away: Away: nobody there"]
        assert (shown(node).state, shown(node).reason) == ("running", "away: Away: nobody there")
        assert shown(node).away is not None and host.next_probe - clock.time_ns() == 3_000_000_000
        line.error = None
        await node.advance(21)
        assert line.at[5:] == [23, 30, 40]
        assert (shown(node).reason, shown(node).away, host.next_probe) == ("", None, 0)
        assert [alert.text for alert in node.alerts("back")] == ["flow/in: the other side is back after 23 s"]
    told = [one for one in caplog.records if "the other side" in one.getMessage()]
    assert [one.levelname for one in told] == ["WARNING", "INFO"]
    assert [noted(one).service for one in told] == ["flow/in"] * 2, "`junctor logs --service` finds both"
    assert not [one for one in caplog.records if one.levelname == "ERROR"]


async def test_what_a_tick_did_before_it_met_the_outage_does_not_count(store: Store, clock: VirtualClock) -> None:
    seen, away = Seen(), [True, True]

    async def tick(me: Me) -> None:
        me.state.write("at", clock.monotonic())
        await me.send("sink", Item(len(away)))
        if away:
            raise Away(str(away.pop()))

    timer = service("in", every=60, tick=tick, stateful=True, **HOLDING)
    async with running(store, service("sink", seen.take), timer, clock=clock) as node:
        await node.advance(5)
        assert seen == [0]
        assert [one.status.name for one in ticks(node)] == ["DONE"]
        assert node.engine.transport.state("flow/in", "")["at"][0] == b"3.0"


async def test_sends_that_do_not_join_stay_and_their_tick_is_ended(store: Store, clock: VirtualClock) -> None:
    seen, away = Seen(), [True]

    async def tick(me: Me) -> None:
        await me.send("sink", Item(len(away)))
        if away:
            raise Away(str(away.pop()))

    made = service("in", **HOLDING)
    spec = msgspec.structs.replace(made, schedules=(schedule("tick", tick, every=60, joins=False),))
    async with running(store, service("sink", seen.take), spec, clock=clock) as node:
        await node.advance(5)
        assert seen == [1, 0]
        assert sorted(one.status.name for one in ticks(node)) == ["DONE", "FAILED"], "none is left open"


async def test_a_schedule_of_cron_does_not_lose_its_night() -> None:
    night = VirtualClock(datetime(2030, 6, 1, 1, 59, tzinfo=UTC))
    line = Line(night, Away("at two"))
    made = service("in", **HOLDING)
    spec = msgspec.structs.replace(made, schedules=(schedule("tick", line.use, cron="0 2 * * *", zone="UTC"),))
    async with running(Store("memory", Path()), spec, clock=night) as node:
        await node.advance(65)
        line.error = None
        await node.advance(3600, step=5)
        assert line.at == [60, 61, 63, 67], "tried until it got through, and not again before the next night"


async def test_ticks_that_follow_at_once_go_on_after_an_outage(memory: Store, clock: VirtualClock) -> None:
    answers: list[Any] = [True, True, Away("in between"), True, False, False]
    at: list[float] = []

    async def tick(me: Me) -> Any:
        at.append(clock.monotonic())
        answer = answers.pop(0) if answers else False
        if isinstance(answer, Exception):
            raise answer
        return answer

    spec = msgspec.structs.replace(
        service("in", **HOLDING), schedules=(schedule("tick", tick, every=10, repeats=True),)
    )
    async with running(memory, spec, clock=clock) as node:
        await node.advance(12)
        assert at == [0, 0, 0, 1, 1, 10]


async def test_another_error_ends_the_outage_and_is_a_failure(store: Store, clock: VirtualClock) -> None:
    line = Line(clock, Away("nobody there"))
    async with running(store, polling(line), clock=clock) as node:
        await node.advance(2)
        line.error = ValueError("there, but it talks nonsense")
        await node.advance(2)
        assert node.host("in").counters.failed == 1
        assert [one.status.name for one in ticks(node)] == ["FAILED"]
        assert len(node.alerts("away")) == len(node.alerts("back")) == 1


async def test_hold_says_when_and_rest_alarms_nobody(
    store: Store, clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    line = Line(clock, Rest("closed until eight", delay=20))
    async with running(store, polling(line, retry=RetryPolicy()), clock=clock) as node:
        await node.advance(25)
        assert line.at == [0, 20]
        assert shown(node).reason == "closed until eight"
        facts = facts_of(node.host("in"))
        assert (facts.away, node.engine.transport.archive.alerts(10)) == (0, [])
        line.error = Hold("busy", delay=2.5)
        await node.advance(18)
        assert line.at[2:] == [40, 42.5]
        assert facts_of(node.host("in")).away > 0
        assert len(node.alerts("away")) == 1
    assert not [one for one in caplog.records if one.levelname == "WARNING" and "closed" in one.getMessage()]
    assert [one.getMessage() for one in caplog.records if "rests" in one.getMessage()] == [
        "flow/in rests: closed until eight"
    ]


async def test_an_operator_lets_it_try_at_once(store: Store, clock: VirtualClock) -> None:
    line = Line(clock, Away("nobody there"))
    async with running(store, polling(line), clock=clock) as node:
        await node.advance(7.5)
        host = node.host("in")
        assert host.probe()
        await node.advance(0.1)
        assert line.at == [0, 1, 3, 7, 7.5]
        line.error = None
        assert host.probe()
        await node.advance(0.1)
        assert not host.probe(), "it waits for nothing"
        assert len(node.alerts("back")) == 1
        await node.advance(3)
        assert line.at[5:] == [7.6, 10]


async def test_a_tick_by_hand_is_answered_and_ends_the_outage(store: Store, clock: VirtualClock) -> None:
    line = Line(clock, Away("nobody there"))
    async with running(store, polling(line), clock=clock) as node:
        await node.advance(7.5)
        host = node.host("in")
        failure = await tick_by_hand(host, host.spec.schedules[0])
        assert failure is not None and failure.type == "Away"
        await node.idle()
        assert [one.status.name for one in ticks(node)] == ["FAILED"], "somebody asked for this one"
        line.error = None
        assert await tick_by_hand(host, host.spec.schedules[0]) is None
        await node.advance(3)
        assert line.at == [0, 1, 3, 7, 7.5, 7.5, 10], "nothing waits for the outage any more"
        assert len(node.alerts("back")) == 1


async def test_a_pause_ends_no_outage_and_a_resume_tries_at_once(store: Store, clock: VirtualClock) -> None:
    line, loop = Line(clock, Away("tick")), Line(clock, Away("loop"))
    spec = service("in", every=60, tick=line.use, main=loop.use, **HOLDING)
    async with running(store, spec, clock=clock) as node:
        await node.advance(1.5)
        host = node.host("in")
        host.pause("pump repair")
        await node.advance(20)
        assert (line.at, loop.at) == ([0, 1], [0, 1])
        assert (shown(node).reason, shown(node).away) == ("pump repair", None)
        await host.resume()
        await node.advance(0.25)
        assert (line.at[2:], loop.at[2:]) == ([21.5], [21.5])
        assert len(node.alerts("away")) == 1, "one for both"
        line.error = None
        await node.advance(30)
        assert node.alerts("back") == [], "the loop is still away"
        loop.error, loop.stays = None, 5
        await node.advance(20)
        assert len(node.alerts("back")) == 1


@pytest.mark.parametrize("blocking", [False, True])
async def test_a_loop_is_called_again_and_its_service_never_stopped(
    store: Store, clock: VirtualClock, blocking: bool
) -> None:
    line = Line(clock, Away("no broker"))
    line.stays = 3600
    spec = service("in", main=line.use_in_thread if blocking else line.use, **HOLDING)
    async with running(store, spec, clock=clock) as node:
        for _ in range(80):
            await node.until(lambda: node.host("in").away.until_try is not None)
            await node.advance(0.5)
        host = node.host("in")
        assert line.at == [0, 1, 3, 7, 15, 23, 31, 39], "far more than its restart policy allows"
        assert (host.lifecycle.state, host.restarts, host.counters.failed) == (State.RUNNING, 0, 0)
        assert len(node.alerts("away")) == 1 and not node.alerts("service-failed")
        line.error = None
        await node.advance(8)
        assert not node.alerts("back"), "it runs, and nobody knows more"
        if blocking:
            await node.until(lambda: len(line.at) == 9)
        await node.advance(9)
        assert len(node.alerts("back")) == 1, "it has run for hold.max"


@pytest.mark.parametrize("loop", ["shared", "own"])
async def test_a_loop_that_says_it_has_reached_the_other_side(memory: Store, clock: VirtualClock, loop: str) -> None:
    errors: list[Exception] = [Away("no broker"), Away("no broker")]

    async def main(me: Me) -> None:
        if errors:
            raise errors.pop()
        me.port.reached()
        await me.port.sleep(3600)

    async with running(memory, service("in", main=main, loop=loop, **HOLDING), clock=clock) as node:
        await node.until(lambda: node.host("in").away.until_try is not None)
        await node.advance(1)
        await node.until(lambda: node.host("in").away.until_try is not None)
        await node.advance(2)
        await node.until(lambda: node.alerts("back"))
        assert shown(node).reason == ""


async def test_a_loop_that_is_cut_as_soon_as_it_is_connected_is_tried_ever_more_rarely(
    store: Store, clock: VirtualClock
) -> None:
    at: list[float] = []

    async def main(me: Me) -> None:
        at.append(clock.monotonic())
        me.port.reached()
        raise Away("cut")

    async with running(store, service("in", main=main, **HOLDING), clock=clock) as node:
        await node.advance(25)
        assert at == [0, 1, 3, 7, 15, 23]
        assert node.host("in").lifecycle.state is State.RUNNING


async def test_a_loop_that_fails_otherwise_is_restarted_as_ever(store: Store, clock: VirtualClock) -> None:
    line = Line(clock, Away("no broker"))
    async with running(store, service("in", main=line.use, **HOLDING), clock=clock) as node:
        await node.advance(2)
        line.error = ValueError("nonsense")
        await node.advance(30)
        assert node.host("in").lifecycle.state is State.FAILED
        assert len(node.alerts("service-failed")) == 1


async def test_a_tick_whose_result_the_store_refuses_is_tried_again(
    durable: Store, clock: VirtualClock, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    full, seen = [True], Seen()

    async def tick(me: Me) -> None:
        me.state.write("at", clock.monotonic())
        await me.send("sink", Item(1))

    async with running(
        durable, service("sink", seen.take), service("in", every=60, tick=tick, stateful=True), clock=clock
    ) as node:
        await node.advance(1)
        commit = node.engine.transport.commit

        def refusing(made: Any) -> None:
            if full and made.writes:
                made.done(made, StoreFull("the disk is full"))
            else:
                commit(made)

        monkeypatch.setattr(node.engine.transport, "commit", refusing)
        await node.advance(63)
        assert (seen, len(node.alerts("away"))) == ([1], 1)
        full.clear()
        await node.advance(10)
        assert (seen, len(node.alerts("back"))) == ([1, 1], 1)
        assert (node.host("in").counters.failed, ticks(node)[0].status.name) == (0, "DONE")
    assert not [one for one in caplog.records if one.levelname == "ERROR"]


async def test_a_stop_does_not_wait_for_the_next_try(store: Store, clock: VirtualClock) -> None:
    line, loop = Line(clock, Hold("for a person", delay=1e9)), Line(clock, Hold("for a person", delay=1e9))
    spec = service("in", every=1, tick=line.use, main=loop.use, **HOLDING)
    async with running(store, spec, clock=clock) as node:
        await node.advance(3)
        async with asyncio.timeout(1):
            await node.engine.stop(5)
    assert (line.at, loop.at) == ([0], [0])


async def test_an_outage_outlives_a_restart_of_its_service(store: Store, clock: VirtualClock) -> None:
    line = Line(clock, Away("nobody there"))
    async with running(store, polling(line), clock=clock) as node:
        await node.advance(2)
        await node.host("in").restart(1)
        await node.advance(0.5)
        assert (line.at, len(node.alerts("away"))) == ([0, 1, 2], 1)
        line.error = None
        await node.advance(10)
        assert len(node.alerts("back")) == 1


async def test_facts_for_alert_rules(store: Store, clock: VirtualClock) -> None:
    line = Line(clock, Away("nobody there"))
    async with running(store, polling(line), service("sink"), clock=clock) as node:
        await node.advance(2)
        facts = facts_of(node.host("in"))
        assert (facts.away > 0, facts.error, facts.reached) == (True, "Away: nobody there", False)
        assert facts_of(node.host("sink")).reached, "it has nothing to be tried"
        line.error = None
        await node.advance(10)
        facts = facts_of(node.host("in"))
        assert (facts.away, facts.error, facts.reached) == (0, "", True)


async def test_messages_flow_while_ticks_are_away(store: Store, clock: VirtualClock) -> None:
    seen, line = Seen(), Line(clock, Away("nobody there"))
    spec = service("in", seen.take, every=10, tick=line.use, **HOLDING)
    async with running(store, spec, clock=clock) as node:
        await node.advance(2)
        await node.send_all("in", [Item(n) for n in range(3)])
        await node.advance(0.5)
        assert seen == [0, 1, 2]
