"""A node that tells what is wrong: once, together, again, until it is over; through restarts, changes and outages."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from junctor.errors import ConfigurationError, UnknownTarget
from junctor.node.alerting import service
from junctor.node.alerting.alerting import OpenAlert
from junctor.node.alerting.book import ADDRESS, book_in
from junctor.node.views.alerts import open_when_down
from junctor.services import Service, handler
from junctor.store.reader import open_archive
from tests.integration.alerting.night import Night, Partner, Sale, flow, later, stored
from tests.integration.alerting.servers import Rude, RudeServer, WebServer, refused_port, served


@pytest.fixture
def hook() -> Iterator[WebServer]:
    Partner.away = False
    with served(WebServer()) as server:
        yield server


def open_in(folder: Path) -> list[OpenAlert]:
    """What `junctor alerts` shows of a node that is down."""
    archive = open_archive(folder)
    try:
        return open_when_down(archive, book_in(archive.state(ADDRESS, "")))
    finally:
        archive.close()


def rule(server: WebServer | str, name: str = "", **more: Any) -> dict[str, Any]:
    when = more.pop("when", {"parked": 1})
    url = server if isinstance(server, str) else server.url
    return {"name": name or next(iter(when)), "when": when, "send": {"webhook": url}, **more}


async def test_a_partner_goes_down_for_an_hour(tmp_path: Path, hook: WebServer) -> None:
    rules = [rule(hook, "crm-away", when={"held": "5m", "service": "crm"}), rule(hook)]
    async with Night(tmp_path, rules) as night:
        await night.send(1, 2, 3)
        Partner.away = True
        await night.send(4, 5, 6)
        await night.passes(290)
        assert hook.notices == [], "held for less than five minutes: nobody is woken"
        await night.passes(20)
        assert hook.told() == ["raised"]
        await night.send(7)
        await night.passes(3300)
        assert hook.told() == ["raised"], "one alert for the whole outage"
        assert await night.kinds() == ["held shop/crm"]
        Partner.away = False
        await night.passes(120)
        assert hook.told() == ["raised", "resolved"]
        assert night.node.engine.hosts["shop/crm"].counters.done == 7, "all were handled, in order, none was parked"
        assert await night.kinds() == []
    raised, resolved = hook.notices
    assert raised["items"][0]["text"] == "held with 3 messages waiting: ConnectionError: refused"
    assert raised["text"].endswith(f"run: junctor status --node {tmp_path}")
    assert resolved["items"][0]["service"] == "shop/crm" and resolved["open"] == 0


async def test_a_thousand_failures_are_one_alert(tmp_path: Path, hook: WebServer) -> None:
    async with Night(tmp_path, [rule(hook)]) as night:
        await night.send(*range(-1000, 0))
        await night.passes(600)
        assert hook.told() == ["raised"]
        assert hook.notices[0]["items"][0]["count"] == 1000
        records = [alert for alert in night.node.archive.alerts(1000) if alert.kind == "parked"]
        assert len(records) == 1, "and one record of it"
        await night.send(-1)
        again = night.node.archive.alerts(1)[0]
        assert again.text.startswith("999 more with this error since the last one; message ")


async def test_a_restart_neither_repeats_nor_forgets(tmp_path: Path, hook: WebServer) -> None:
    rules = [rule(hook), rule(hook, "away", when={"held": 10})]
    Partner.away = True
    async with Night(tmp_path, rules) as night:
        await night.send(-1, 1)
        await night.passes(30)
        assert sorted(hook.told()) == ["raised", "raised"]
    async with Night(tmp_path, rules, later(night, minutes=1)) as night:
        await night.passes(300)
        assert len(hook.told()) == 2, "what lasted is not raised again, though the probe waited for its turn"
        assert await night.kinds() == ["held shop/crm", "parked shop/crm"]
    Partner.away = False
    async with Night(tmp_path, rules, later(night, hours=1)) as night:
        await night.passes(120)
        assert hook.told()[2:] == ["resolved"], "it ended while the node was down, or soon after"
        assert hook.notices[2]["rule"] == "shop/away"


@pytest.mark.parametrize("days", [-365, 365])
async def test_a_clock_that_is_set_neither_raises_nor_repeats(tmp_path: Path, hook: WebServer, days: int) -> None:
    rules = [rule(hook, again="4h"), rule(hook, "away", when={"held": "10m"})]
    async with Night(tmp_path, rules) as night:
        await night.send(-1)
        await night.passes(10)
    start = later(night, days=days)
    Partner.away = True
    async with Night(tmp_path, rules, start) as night:
        await night.send(1)
        await night.passes(300)
        repeated = ["again"] if days > 0 else []  # a year may have passed while the node was down
        assert hook.told() == ["raised", *repeated]
        await night.passes(320)
        assert hook.told() == ["raised", *repeated, "raised"], "ten minutes are ten minutes"


@pytest.mark.parametrize("days", [-365, 365])
async def test_a_clock_that_is_set_while_the_node_runs(tmp_path: Path, hook: WebServer, days: int) -> None:
    rules = [rule(hook, again="4h"), rule(hook, "away", when={"held": "10m"}), rule(hook, when={"silent": "1h"})]
    Partner.away = True
    async with Night(tmp_path, rules) as night:
        await night.send(-1, 1)
        await night.passes(10)
        night.sets_clock(days)
        await night.passes(500)
        assert hook.told() == ["raised"], "neither did ten minutes pass, nor four hours"
        await night.passes(120)
        assert [notice["rule"] for notice in hook.notices] == ["shop/parked", "shop/away"]


async def test_a_web_server_that_fails_gets_it_later_under_the_same_key(tmp_path: Path, hook: WebServer) -> None:
    hook.answers = [500, 503]
    async with Night(tmp_path, [rule(hook)]) as night:
        await night.send(-1)
        await night.passes(60)
    assert hook.told() == ["raised"] * 3
    assert len({headers["Idempotency-Key"] for headers, _ in hook.taken}) == 1


async def test_told_is_who_has_taken_it(tmp_path: Path, hook: WebServer) -> None:
    hook.answers = [500, 500]
    async with Night(tmp_path, [rule(hook)]) as night:
        await night.send(-1)
        await night.passes(3)
        (alert,) = await night.node.alerting.open()
        assert (alert.told, alert.to, alert.untold) == (None, (), ("webhook localhost",)), "nobody took it yet"
        await night.passes(60)
        (alert,) = await night.node.alerting.open()
        assert alert.told is not None and (alert.to, alert.untold) == (("webhook localhost",), ())
    (alert,) = open_in(tmp_path)
    assert (alert.to, alert.untold) == (("webhook localhost",), ())


async def test_of_two_receivers_one_may_not_have_it_yet(tmp_path: Path, hook: WebServer) -> None:
    refused = {"webhook": f"http://127.0.0.1:{refused_port()}/"}
    async with Night(tmp_path, [{"when": {"parked": 1}, "send": [{"webhook": hook.url}, refused]}]) as night:
        await night.send(-1)
        await night.passes(10)
        (alert,) = await night.node.alerting.open()
        assert alert.told is not None
        assert (alert.to, alert.untold) == (("webhook localhost",), ("webhook 127.0.0.1",))
    (alert,) = open_in(tmp_path)
    assert alert.untold == ("webhook 127.0.0.1",), "also where the node is down"


async def test_what_is_open_is_counted_as_it_is_now(tmp_path: Path, hook: WebServer) -> None:
    rules = [rule(hook), rule(hook, when={"queue": 2}), rule(hook, when={"age": "10s"})]
    async with Night(tmp_path, rules) as night:
        Partner.away = True
        await night.send(-1, 1, 2)
        await night.passes(20)
        await night.send(3, 4)
        await night.passes(100)
        found = {alert.kind: alert for alert in await night.node.alerting.open()}
        assert (found["queue"].count, found["queue"].text) == (4, "4 messages waiting")
        assert found["age"].count == 4 and found["age"].text == "the oldest of 4 messages waits for 2 min"
        Partner.away = False


async def test_one_that_never_answers_holds_up_nobody_else(tmp_path: Path, hook: WebServer) -> None:
    with served(RudeServer(Rude)) as rude:
        deaf = rule(f"http://127.0.0.1:{rude.port}/", "deaf")
        async with Night(tmp_path, [deaf, rule(hook)]) as night:
            target = night.node.target("crm", Sale)
            await target.send(Sale(-1))
            for _ in range(200):
                await night.clock.advance(2)
                await asyncio.sleep(0.02)
                if hook.notices:
                    break
            assert hook.told() == ["raised"], "while the other call still hangs"
            assert night.node.engine.hosts["junctor/notices"].in_flight >= 1
            shown = [f"{one.flow}/{one.service}" for one in night.node.status().services]
            assert shown == ["shop/crm", "junctor/notices"], "the node's own services are shown when they have trouble"


async def test_what_cannot_be_delivered_is_parked_and_alarms_nobody(
    tmp_path: Path, hook: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(service.RETRY, "attempts", 4)  # instead of hours
    gone = rule(f"http://127.0.0.1:{refused_port()}/", "gone", again=0)
    async with Night(tmp_path, [gone, rule(hook)]) as night:
        await night.send(-1)
        await night.passes(300)
        assert hook.told() == ["raised"]
        assert await night.kinds() == ["parked junctor/notices", *["parked shop/crm"] * 2], "one for each rule"


async def test_rules_change_while_the_node_runs(tmp_path: Path, hook: WebServer) -> None:
    parked, queue = rule(hook), rule(hook, "queue", when={"queue": 1})
    async with Night(tmp_path, []) as night:
        assert list(night.node.engine.flows) == ["shop"], "without rules there is nothing to send with"
        await night.send(-1)
        assert await night.kinds() == ["parked shop/crm"], "it is shown all the same"
        assert "~ alerts: parked added" in await night.apply([parked])
        await night.passes(10)
        assert hook.told() == ["raised"]
        await night.apply([{**parked, "again": 60}, queue])
        await night.passes(40)
        assert hook.told() == ["raised"], "a rule that stays keeps its alarms"
        await night.passes(20)
        assert hook.told() == ["raised", "again"]
        await night.apply([queue])
        await night.passes(100)
        assert hook.told() == ["raised", "again"], "with its rule an alarm is gone"
        await night.apply([])
        assert list(night.node.engine.flows) == ["shop"]


async def test_no_secret_of_a_destination_is_kept_or_told(
    tmp_path: Path, hook: WebServer, caplog: pytest.LogCaptureFixture
) -> None:
    hook.answers = [500]
    send = {"webhook": {"url": hook.url, "headers": {"Authorization": "Bearer t0k3n-value"}}}
    mail = {"email": {"to": "ops@example.com", "server": f"smtp://127.0.0.1:{refused_port()}", "user": "u"}}
    mail["email"]["password"] = "p4ssw0rd-value"
    async with Night(tmp_path, [{"when": {"parked": 1}, "send": [send, mail]}]) as night:
        await night.send(-1)
        await night.passes(30)
        told = str([await night.node.alerting.open(), night.node.status()])
    told += caplog.text + stored(tmp_path) + str(hook.notices)
    for secret in ("s3cr3t-path", "t0k3n-value", "p4ssw0rd-value"):
        assert secret not in told
    assert hook.taken[0][0]["Authorization"] == "Bearer t0k3n-value", "only its receiver gets it"


async def test_the_test_of_receivers(tmp_path: Path, hook: WebServer) -> None:
    gone = rule(f"http://127.0.0.1:{refused_port()}/", "gone")
    async with Night(tmp_path, [rule(hook), gone]) as night:
        tried = [attempt() for attempt in night.node.alerting.tests(None)]
        assert [(one.rule, one.ok) for one in tried] == [("shop/parked", True), ("shop/gone", False)]
        assert "refused" in tried[1].error
        with pytest.raises(UnknownTarget, match='Did you mean "gone"'):
            night.node.alerting.tests("gnoe")
    assert hook.told() == ["test"]


async def test_ages_and_silence(tmp_path: Path, hook: WebServer) -> None:
    rules = [rule(hook, when={"age": "5m"}), rule(hook, when={"silent": "15m"})]
    Partner.away = True
    async with Night(tmp_path, rules) as night:
        await night.send(1, 2)
        await night.passes(280)
        assert hook.notices == []
        await night.passes(40)
        assert [notice["rule"] for notice in hook.notices] == ["shop/age"]
        await night.passes(700)
        assert [notice["rule"] for notice in hook.notices] == ["shop/age", "shop/silent"]
        Partner.away = False
        await night.passes(300)
        assert sorted(hook.told()) == ["raised", "raised", "resolved", "resolved"]


async def test_any_night_ends_told(tmp_path: Path, hook: WebServer) -> None:
    """Outages, failing receivers and restarts at random: in the end nothing is open and everything was told."""
    seed = random.randrange(1 << 32)
    print("seed", seed)
    chance = random.Random(seed)
    rules = [rule(hook, "away", when={"held": 10}, pace=10, again=0)]
    start = None
    for _ in range(4):
        async with Night(tmp_path, rules, start) as night:
            for _ in range(3):
                Partner.away = chance.random() < 0.6
                hook.answers = [500] * chance.randrange(2)
                await night.send(1)
                await night.passes(chance.choice([5, 20, 90]))
        start = later(night, seconds=chance.choice([1, 100]))
    Partner.away = False
    async with Night(tmp_path, rules, start) as night:
        await night.passes(1300)
        assert await night.kinds() == []
        assert night.node.engine.hosts["shop/crm"].depth.count == 0
    keys = dict.fromkeys((headers["Idempotency-Key"], body["state"]) for headers, body in hook.taken)
    assert [state for _, state in keys] == ["raised", "resolved"] * (len(keys) // 2)


class Pager(Service):
    """Gets alerts as messages."""

    got: ClassVar[list[dict[str, Any]]] = []

    @handler
    async def page(self, alert: Any) -> None:
        self.got.append(alert)


async def test_a_service_of_the_flow_is_told(tmp_path: Path) -> None:
    Pager.got.clear()
    rules = [{"when": {"parked": 1}, "send": {"service": "pager"}}]
    model = flow(rules).add(Pager())
    async with Night(tmp_path, model) as night:
        await night.send(-1)
        await night.passes(10)
        (told,) = Pager.got
        assert (told["state"], told["flow"], told["items"][0]["service"]) == ("raised", "shop", "shop/crm")
        (tried,) = [await asyncio.to_thread(test) for test in night.node.alerting.tests(None)]
        assert (tried.ok, tried.to) == (True, "service pager")
        await night.settled()
        assert [one["state"] for one in Pager.got] == ["raised", "test"]


def test_a_service_that_is_told_and_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match='there is no service "pagr" in this flow. Did you mean "pager"'):
        Night(tmp_path, flow([{"when": {"parked": 1}, "send": {"service": "pagr"}}]).add(Pager()))
