"""A session of one node, captured and replayed against the code of a service: as recorded, and after a change."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from junctor import Flow, Hold, Sensitive, Service, Target, every, handler, setting, subscribe, when
from junctor.errors import ConfigurationError, DecodeError, RequestFailed, RequestTimeout
from junctor.node.capture.file import decoded, written
from junctor.node.capture.making import capture_of, stored_capture
from junctor.store.reader import open_archive
from junctor.testing import Capture, CaptureUnusable, load_capture, replay, running
from junctor.testing._plant import RunningFlow, options_of


@dataclass(frozen=True)
class Order:
    number: int
    customer: str
    cents: int = 100


@dataclass(frozen=True)
class Ask:
    customer: str


@dataclass(frozen=True)
class Account:
    email: str


@dataclass(frozen=True)
class Mail:
    to: str
    text: str
    at: datetime
    key: str


@dataclass(frozen=True)
class Placed:
    number: int


class Orders(Service):
    limit: int = setting(1000)
    token: str = setting("no-token-was-given", secret=True)
    crm: Target[Ask, Account]
    mails: Target[Mail]
    large: Target[Order]

    @handler
    async def on_order(self, order: Order) -> str:
        self.log.info("order %d", order.number)
        count = self.state["count"] = self.state.get("count", 0) + 1
        account = await self.crm.request(Ask(order.customer))
        if order.cents < 0:
            raise ValueError(f"{order.cents} cents")
        await self.mails.send(Mail(account.email, f"order {count}", self.now(), self.message.id))
        if order.cents > self.limit:
            await self.large.send(order)
        await self.publish(Placed(order.number))
        return f"order {order.number} is placed"


class Crm(Service):
    @handler
    async def on_ask(self, ask: Ask) -> Account:
        if ask.customer == "slow":
            await self.sleep("20m")
        if ask.customer == "unknown":
            raise LookupError("no such customer")
        await self.sleep("2s")
        return Account(f"{ask.customer}@example.org")


class Mailer(Service):
    @handler
    async def on_mail(self, mail: Mail) -> None: ...


class Large(Service):
    @handler
    async def on_order(self, order: Order) -> None: ...


class Watcher(Service):
    @subscribe
    async def on_placed(self, placed: Placed) -> None: ...


def shop(limit: int = 1000) -> Flow:
    flow = Flow("shop").add(Orders(limit=limit, token="s3cret-token"), connect={"large": "large"})
    return flow.add(Crm(), retry={"attempts": 1}).add(Mailer()).add(Large()).add(Watcher())


async def captured(*bodies: Any, flow: Flow | None = None, service: str = "orders", ask: bool = True) -> Capture:
    """What a node captures of the sessions of these messages, as one file that is written and read again."""
    plant = RunningFlow(flow or shop(), options_of({"start": datetime(2026, 11, 3, 2, tzinfo=UTC)}))
    await plant.start()
    parts = []
    try:
        for body in bodies:
            first = len(plant.messages)
            if ask:
                with contextlib.suppress(RequestFailed):
                    await plant.request(service, body, timeout="2h", within="1h")
            else:
                await plant.send(service, body)
            await plant.advance("1h")
            parts.append(await capture_of(plant.node, plant.messages[first].id))
    finally:
        await plant.stop(check=False)
    whole, *others = parts
    whole.hops += [hop for part in others for hop in part.hops]
    return decoded(written(whole).encode(), "test")


async def test_unchanged_code_does_what_was_recorded() -> None:
    capture = await captured(Order(7, "ann"), Order(8, "bob", 5000))
    result = await replay(capture, Orders)
    assert result.differences == [], str(result)
    first, second = result.hops
    assert first.body == Order(7, "ann") and first.error is None
    assert first.reply == "order 7 is placed" and first.logs == ["order 7"]
    assert [(sent.target, sent.type, sent.kind) for sent in second.sends] == [
        ("shop/crm", "Ask", "request"),
        ("shop/mailer", "Mail", "send"),
        ("shop/large", "Order", "send"),
        ("shop/watcher", "Placed", "event"),
    ]
    # Its time is that of the recording, with the delay of the reply, and its ids are the recorded ones.
    mail = first.sends[1].body
    assert (mail["at"], mail["key"]) == ("2026-11-03T02:00:02Z", first.recorded.id)


async def test_a_changed_setting_and_changed_code_are_told() -> None:
    capture = await captured(Order(7, "ann"), Order(8, "bob", 5000))

    class Changed(Orders):
        @handler
        async def on_order(self, order: Order) -> str:
            account = await self.crm.request(Ask(order.customer))
            await self.mails.send(Mail(account.email, "hello", self.now(), self.message.id))
            if order.cents > self.limit:
                await self.large.send(order)
            return "placed"

    result = await replay(capture, Changed(limit=50), service="orders")
    assert result.differences == [
        'message 1 (Order): reply: recorded "order 7 is placed", now "placed"',
        'message 1 (Order): Mail to shop/mailer: text: recorded "order 1", now "hello"',
        'message 1 (Order): Placed to shop/watcher: recorded {"number":7}, now not sent',
        'message 1 (Order): Order to shop/large: not recorded, now sent {"number":7,"customer":"ann","cents":100}',
        'message 5 (Order): reply: recorded "order 8 is placed", now "placed"',
        'message 5 (Order): Mail to shop/mailer: text: recorded "order 2", now "hello"',
        'message 5 (Order): Placed to shop/watcher: recorded {"number":8}, now not sent',
    ]
    assert str(result).startswith("2 deliveries replayed, 7 differences\nmessage 1 (Order): reply")
    calm = await replay(capture, Changed(), service="shop/orders", ignore={"Mail.text", "reply"})
    assert [line.partition(": ")[2] for line in calm.differences] == [
        'Placed to shop/watcher: recorded {"number":7}, now not sent',
        'Placed to shop/watcher: recorded {"number":8}, now not sent',
    ]


async def test_a_failure_comes_again_and_is_gone_when_the_code_is_right() -> None:
    capture = await captured(Order(7, "ann", -1))
    again = await replay(capture, Orders)
    assert again.differences == [] and again.hops[0].error == "ValueError: -1 cents"
    assert "on_order" in again.hops[0].traceback

    class Right(Orders):
        @handler
        async def on_order(self, order: Order) -> str:
            await self.crm.request(Ask(order.customer))
            return "refused"

    result = await replay(capture, Right, service="orders")
    assert result.hops[0].error is None
    assert result.differences == ["message 1 (Order): outcome: recorded failed with ValueError: -1 cents, now done"]


async def test_the_errors_of_others_are_those_that_were_recorded() -> None:
    capture = await captured(Order(7, "unknown"), Order(8, "slow"))
    seen: list[BaseException] = []

    class Curious(Orders):
        @handler
        async def on_order(self, order: Order) -> str:
            try:
                await self.crm.request(Ask(order.customer))
            except Exception as error:
                seen.append(error)
                raise
            return ""

    await replay(capture, Curious, service="orders")
    failed, late = seen
    assert (
        isinstance(failed, RequestFailed) and failed.error_type == "LookupError" and "no such customer" in str(failed)
    )
    assert isinstance(late, RequestTimeout)


async def test_a_request_that_was_not_recorded_fails_and_says_so() -> None:
    capture = await captured(Order(7, "ann"))

    class Thorough(Orders):
        @handler
        async def on_order(self, order: Order) -> str:
            await self.crm.request(Ask(order.customer))
            return (await self.crm.request(Ask("another"))).email

    result = await replay(capture, Thorough, service="orders")
    assert "the recording has no further request Ask to shop/crm in this delivery" in str(result.hops[0].error)
    assert any("not recorded, now sent" in line and "no answer for it" in line for line in result.differences)


async def test_requests_are_found_by_their_body_when_several_are_under_way() -> None:
    class Both(Orders):
        @handler
        async def on_order(self, order: Order) -> str:
            asked = [self.crm.request(Ask(name)) for name in self.names(order)]
            return " ".join([(await one).email for one in asked])

        def names(self, order: Order) -> list[str]:
            return ["ann", "bob"]

    class Reversed(Both):
        def names(self, order: Order) -> list[str]:
            return ["bob", "ann"]

    flow = Flow("shop").add(Both(), "orders", connect={"large": "large"}).add(Crm(), pool=2).add(Mailer()).add(Large())
    capture = await captured(Order(7, "x"), flow=flow)
    assert (await replay(capture, Both, service="orders")).differences == []
    result = await replay(capture, Reversed, service="orders")
    assert result.hops[0].reply == "bob@example.org ann@example.org"


async def test_state_is_given() -> None:
    capture = await captured(Order(7, "ann"))
    result = await replay(capture, Orders, state={"count": 41})
    assert result.differences == ['message 1 (Order): Mail to shop/mailer: text: recorded "order 1", now "order 42"']


async def test_a_flow_brings_its_own_connections_and_conditions() -> None:
    def rules() -> Flow:
        flow = Flow("shop").add(Orders(), connect={"large": when("large", "body.cents > 4000")}).add(Crm())
        return flow.add(Mailer()).add(Large()).add(Watcher())

    capture = await captured(Order(7, "ann", 2000), Order(8, "bob", 5000), flow=rules())
    for subject in (rules(), Orders):
        result = await replay(capture, subject, service="orders")  # type: ignore[arg-type]
        assert result.differences == [], str(result)
        assert [sum(sent.target == "shop/large" for sent in hop.sends) for hop in result.hops] == [0, 1]


async def test_a_store_without_its_node_is_enough(tmp_path: Path) -> None:
    async with running(shop(), store=tmp_path) as plant:
        await plant.request("orders", Order(7, "ann"), within="1m")
        await plant.advance("1s")
    archive = open_archive(tmp_path)
    capture = stored_capture(archive, "1", "node")
    archive.close()
    assert capture.services == [] and "the node was down" in capture.missing[0].lower()
    assert (await replay(capture, Orders, service="orders")).differences == []


async def test_blocking_handlers_and_holding_ones() -> None:
    class Press(Service):
        @handler
        def on_order(self, order: Order) -> str:
            self.sleep("3s")
            return f"{order.number} at {self.now():%H:%M:%S}"

    capture = await captured(Order(7, "ann"), flow=Flow("plant").add(Press()), service="press")
    assert (await replay(capture, Press)).hops[0].reply == "7 at 02:00:03"

    class Away(Press):
        @handler
        def on_order(self, order: Order) -> str:
            raise Hold("the line is down")

    held = await replay(capture, Away, service="press")
    assert held.hops[0].error == "Hold: the line is down"


async def test_what_a_service_sends_to_itself_is_a_delivery_of_its_own() -> None:
    class Counter(Service):
        again: Target[Order]

        @handler
        async def on_order(self, order: Order) -> None:
            if order.number:
                await self.again.send(Order(order.number - 1, order.customer))

    flow = Flow("f").add(Counter(), connect={"again": "counter"})
    capture = await captured(Order(2, "ann"), flow=flow, service="counter", ask=False)
    result = await replay(capture, Counter)
    assert [hop.body.number for hop in result.hops] == [2, 1, 0] and result.differences == []


class Anything(Service):
    """Takes whatever comes; ``second`` only what is sent to it by its name."""

    @handler
    async def first(self, body: Any) -> str:
        return f"first {body}"

    @handler
    async def second(self, order: Order) -> str:
        return f"second {order.number}"


async def test_handlers_of_anything_and_by_name() -> None:
    class Sender(Service):
        @handler
        async def on_text(self, text: str) -> str:
            return await self.target("anything", Order, str, handler="second").request(Order(7, text))

    flow = Flow("f").add(Sender()).add(Anything())
    capture = await captured("hello", flow=flow, service="sender")
    named = await replay(capture, Anything)
    assert named.differences == [] and named.hops[0].reply == "second 7"
    assert (await replay(capture, Sender)).differences == []
    capture = await captured({"free": 1}, flow=flow, service="anything")
    assert (await replay(capture, Anything)).hops[0].reply == "first {'free': 1}"


async def test_a_service_of_another_flow_is_played_too() -> None:
    here = written(await captured(Order(7, "ann")))
    capture = decoded(here.replace("shop/crm", "office/crm").encode(), "test")
    assert (await replay(capture, Orders)).differences == []

    class Choosing(Orders):
        @handler
        async def on_order(self, order: Order) -> str:
            return (await self.target("office/crm", Ask, Account).request(Ask(order.customer))).email

    assert (await replay(capture, Choosing, service="orders")).hops[0].reply == "ann@example.org"


async def test_a_service_of_a_worker_process_is_replayed_here() -> None:
    capture = await captured(Order(7, "ann"))
    flow = Flow("shop").add(Orders(), isolate="worker", connect={"large": "large"}).add(Crm()).add(Mailer())
    flow = flow.add(Large()).add(Watcher())
    assert (await replay(capture, flow, service="orders")).differences == []


async def test_a_service_that_does_not_start_says_why() -> None:
    capture = await captured(Order(7, "ann"))

    class Broken(Orders):
        async def on_start(self) -> None:
            raise ConnectionError("no database here")

    with pytest.raises(ConfigurationError, match="does not start: ConnectionError: no database here"):
        await replay(capture, Broken, service="orders")


async def test_schedules_and_loops_do_not_run() -> None:
    ran: list[str] = []

    class Busy(Crm):
        @every("1s")
        async def tick(self) -> None:
            ran.append("tick")

        async def loop(self) -> None:
            ran.append("loop")
            await self.sleep("1s")

    capture = await captured(Order(7, "ann"))
    assert (await replay(capture, Busy, service="crm")).differences == []
    assert ran == []


@dataclass(frozen=True)
class Payment:
    card: Sensitive[str]
    cents: int


class Bank(Service):
    ledger: Target[Payment]

    @handler
    async def on_payment(self, payment: Payment) -> str:
        await self.ledger.send(payment)
        return payment.card[-4:]


class Ledger(Service):
    @handler
    async def on_payment(self, payment: Payment) -> None: ...


async def test_masked_values_are_not_compared_and_can_be_filled() -> None:
    flow = Flow("bank").add(Bank(), connect={"ledger": "ledger"}).add(Ledger())
    capture = await captured(Payment("4111111111111234", 7), flow=flow, service="bank")
    assert b"411111" not in written(capture).encode()
    result = await replay(capture, Bank, ignore={"reply"})
    assert result.differences == [] and result.hops[0].body.card == "***"
    filled = await replay(capture, Bank, fill={"Payment.card": "4111111111111234"})
    assert filled.differences == [] and filled.hops[0].reply == "1234"

    class Dear(Bank):
        @handler
        async def on_payment(self, payment: Payment) -> str:
            await self.ledger.send(Payment("other", payment.cents + 1))
            return ""

    (difference,) = (await replay(capture, Dear, service="bank", ignore={"reply"})).differences
    assert difference.endswith("Payment to bank/ledger: cents: recorded 7, now 8 (masked, not compared: card)")


async def test_secrets_are_in_no_capture() -> None:
    capture = await captured(Order(7, "ann"))
    text = written(capture)
    assert "s3cret" not in text
    facts = next(one for one in capture.services if one.address == "shop/orders")
    assert facts.settings == {"limit": 1000, "token": "***"} and facts.hidden == ["token"]
    assert facts.code.name == "Orders" and len(facts.code.sha256) == 64
    assert capture.flows[0].yaml.startswith("# Give the secret") or capture.flows[0].problem


async def test_a_body_that_does_not_fit_any_more_names_its_field() -> None:
    capture = await captured(Order(7, "ann"))
    next(hop for hop in capture.hops if hop.type == "Order").body["cents"] = "much"
    with pytest.raises(DecodeError, match=r"message 1 of the capture: Order\.cents: .*Expected `int`"):
        await replay(capture, Orders)


async def test_words_that_name_nothing() -> None:
    capture = await captured(Order(7, "ann"))
    with pytest.raises(ConfigurationError, match='went to a service "order". Did you mean "orders"'):
        await replay(capture, Orders, service="order")
    with pytest.raises(ConfigurationError, match="a flow has several services"):
        await replay(capture, shop())
    with pytest.raises(ConfigurationError, match='the flow has no service "orders"'):
        await replay(capture, Flow("shop").add(Crm()), service="orders")
    with pytest.raises(ConfigurationError, match="no handler takes Order"):
        await replay(capture, Crm, service="orders")
    capture.hops = [hop for hop in capture.hops if hop.target != "shop/orders"]
    with pytest.raises(ConfigurationError, match="nothing in the capture"):
        await replay(capture, Orders)


GOOD = {"format": "junctor-capture", "version": 1, "made": "2026-11-03T02:00:00Z", "session": "0" * 32, "hops": []}
NODE = {"name": "n", "running": True, "junctor": "0.1.0", "python": "CPython 3.11", "platform": "linux"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "the file is empty"),
        ("  \n", "the file is empty"),
        (json.dumps(GOOD)[:40], "cut off or no JSON"),
        ("no json", "cut off or no JSON"),
        ("[]", "is no capture"),
        ('{"format": 7}', "is no capture"),
        ("{}", "is no capture"),
        (json.dumps(GOOD | {"version": 2}), "version 2, known are up to 1"),
        (json.dumps(GOOD), "missing required field `node`"),
        (json.dumps(GOOD | {"node": NODE, "hops": [{"id": 7}]}), "hops"),
    ],
)
def test_a_file_that_is_no_capture(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "x.capture.json"
    path.write_text(content)
    with pytest.raises(CaptureUnusable) as caught:
        load_capture(path)
    assert said in str(caught.value) and str(path) in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nothing.json"):
        with pytest.raises(CaptureUnusable, match="cannot be read"):
            load_capture(path)
    (tmp_path / "binary").write_bytes(bytes(range(256)))
    with pytest.raises(CaptureUnusable, match="no JSON"):
        load_capture(tmp_path / "binary")


async def test_a_field_of_a_later_version_is_ignored(tmp_path: Path) -> None:
    capture = await captured(Order(7, "ann"))
    content = json.loads(written(capture))
    content["weather"] = "rain"
    content["hops"][0]["mood"] = 3
    (tmp_path / "c.json").write_text(json.dumps(content))
    assert load_capture(tmp_path / "c.json").hops == capture.hops


def test_fifty_megabytes_are_read_in_a_moment(tmp_path: Path) -> None:
    hop = {"id": "n-1", "number": 1, "kind": "send", "source": "a/b", "target": "a/c", "type": "T", "status": "done"}
    hop |= {"time": "2026-11-03T02:00:00Z", "body": "x" * 50_000}
    path = tmp_path / "large.json"
    path.write_bytes(msgspec.json.encode(GOOD | {"node": NODE, "hops": [hop] * 1000}))
    assert path.stat().st_size > 50_000_000
    assert len(load_capture(path).hops) == 1000
