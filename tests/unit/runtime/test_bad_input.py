"""What is wrong is told to whoever can correct it, with place and fix; the rest runs on and nothing is lost."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Any

import pytest

from junctor.core.policy import RetryPolicy
from junctor.errors import BodyTooLarge, EncodeError, JunctorError, RequestFailed, UnknownTarget, WiringError
from tests.unit.runtime.flowkit import Answer, Bag, Item, Me, Node, Seen, Store, handles, running, service, start


@dataclass(frozen=True)
class Reading:
    sensor: str
    value: float


@dataclass(frozen=True)
class Batch:
    readings: tuple[Reading, ...]


async def insert_raw(node: Node, to: str, type_name: str, payload: bytes) -> None:
    """A message as an older release, or another node, may have left it in the store."""
    from junctor.core.outcome import Draft
    from junctor.messages import Kind

    draft = Draft(f"flow/{to}", Kind.SEND, type_name, payload)
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    node.engine.dispatcher.submit(draft, "test", None, None, future)
    await future


@pytest.mark.parametrize(
    ("payload", "path"),
    [
        (b'{"readings":[{"sensor":"a","value":1},{"sensor":"b","value":"high"}]}', "Batch.readings[1].value"),
        (b'{"readings":[{"sensor":"a"}]}', "Batch.readings[0]"),
        (b'{"readings":7}', "Batch.readings"),
        (b"not json", "Batch"),
        (b"", "Batch"),
        (b'{"readings":[{"sensor":"\xff","value":1}]}', "Batch"),
        (b'{"readings":[{"sensor":"a","value":NaN}]}', "Batch"),
    ],
)
async def test_a_body_that_does_not_decode_is_parked_with_the_path_of_the_field(
    store: Store, payload: bytes, path: str
) -> None:
    seen = Seen()

    async def take(me: Me, batch: Batch) -> None:
        seen.append(len(batch.readings))

    async with running(store, service("sink", take, accepts=Batch)) as node:
        await insert_raw(node, "sink", "Batch", payload)
        await node.send("sink", Batch((Reading("a", 1.0),)))
        await node.until(lambda: node.statuses("sink") == ["PARKED", "DONE"])
        assert seen == [1]
        (attempt,) = node.attempts("sink")
        assert attempt.failure.type == "DecodeError", "one attempt: another one would meet the same body"
        assert f"flow/sink.act {path}" in attempt.failure.text
        assert len(node.alerts("parked")) == 1


async def test_a_type_that_nobody_handles_is_parked(store: Store) -> None:
    seen = Seen()
    async with running(store, service("sink", seen.take)) as node:
        await insert_raw(node, "sink", "Unheard", b"{}")
        await node.send("sink", Item(1))
        await node.until(lambda: node.statuses("sink") == ["PARKED", "DONE"])
        assert seen == [1]
        assert "no handler takes Unheard" in node.attempts("sink")[0].failure.text


async def test_a_handler_for_any_takes_what_no_other_takes(store: Store) -> None:
    taken: list[Any] = []

    async def rest(me: Me, body: Any) -> None:
        taken.append(body)

    async def items(me: Me, item: Item) -> None:
        taken.append(item)

    handlers = handles("items", items), handles("rest", rest, Any)
    async with running(store, service("sink", handlers=handlers)) as node:
        await insert_raw(node, "sink", "Unheard", b'{"x":[1,null]}')
        await node.send("sink", Item(1))
        await node.until(lambda: taken == [{"x": [1, None]}, Item(1)])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
async def test_a_number_that_json_cannot_carry_is_refused_to_the_sender(durable: Store, value: float) -> None:
    async def take(me: Me, reading: Reading) -> None:
        return None

    async with running(durable, service("sink", take, accepts=Reading)) as node:
        with pytest.raises(EncodeError, match=r"Reading\.value"):
            await node.send("sink", Reading("a", value))
        assert node.records("sink") == []


async def test_a_body_that_is_too_large_is_refused_to_the_sender_and_parks_a_handler(store: Store) -> None:
    seen = Seen()

    async def take(me: Me, bag: Bag) -> None:
        seen.append(len(bag.items))

    async def relay(me: Me, item: Item) -> None:
        await me.send("sink", Bag([1] * item.n))

    async with running(store, service("sink", take, accepts=Bag), service("relay", relay)) as node:
        node.engine.dispatcher.max_body = 1000
        with pytest.raises(BodyTooLarge, match="limit is 1000"):
            await node.send("sink", Bag([1] * 1000))
        await node.send_all("relay", [Item(1000), Item(10)])
        await node.until(lambda: seen == [10])
        assert node.statuses("relay") == ["PARKED", "DONE"]
        assert len(node.attempts("relay")) == 1, "a second attempt would send the same"


async def test_a_body_that_cannot_be_encoded_parks_the_handler_that_sends_it(store: Store) -> None:
    async def relay(me: Me, item: Item) -> None:
        await me.port.send(me.port.link_to("sink", Any), {"what": object()})

    async def take(me: Me, body: Any) -> None:
        return None

    async with running(store, service("sink", take, accepts=Any), service("relay", relay)) as node:
        await node.send("relay", Item(1))
        await node.until(lambda: node.statuses("relay") == ["PARKED"])
        assert node.attempts("relay")[0].failure.type == "EncodeError"
        assert node.records("sink") == []


async def test_an_unknown_service_is_answered_with_the_nearest_names(store: Store) -> None:
    async with running(store, service("monitor", Seen().take), service("alarm", Seen().take)) as node:
        with pytest.raises(UnknownTarget, match="Known here: flow/monitor"):
            node.send("moniter", Item(1))
        with pytest.raises(UnknownTarget):
            node.send("other-flow/monitor", Item(1))
        with pytest.raises(WiringError, match="It handles Item"):
            node.send("monitor", Answer(1))


async def test_an_unknown_service_inside_a_handler_parks_its_message_at_once(store: Store) -> None:
    async def relay(me: Me, item: Item) -> None:
        await me.send("nobody", item)

    async with running(store, service("relay", relay)) as node:
        await node.send("relay", Item(1))
        await node.until(lambda: node.statuses("relay") == ["PARKED"])
        (attempt,) = node.attempts("relay")
        assert attempt.failure.type == "UnknownTarget" and "relay" in attempt.failure.text


@pytest.mark.parametrize("where", ["key", "header", "idempotency key"])
async def test_text_that_cannot_be_stored_is_refused_to_the_sender_and_spoils_nobody_elses(
    durable: Store, where: str
) -> None:
    """All of one loop turn go to the disk in one transaction; one bad message must not take the others with it."""
    seen = Seen()
    bad: dict[str, Any] = {
        "key": {"key": "\ud800"},
        "header": {"headers": {"x": "\ud800"}},
        "idempotency key": {"idempotency_key": "\ud800"},
    }[where]
    async with running(durable, service("sink", seen.take, pool=2, key="key")) as node:
        before, after = node.send("sink", Item(1, "a")), None
        refused: Any = None
        try:
            pending = node.send("sink", Item(2, "b"), **bad)
            after = node.send("sink", Item(3, "c"))
            await pending
        except (JunctorError, UnicodeError) as error:
            refused = error
        assert refused is not None
        after = after or node.send("sink", Item(3, "c"))
        await before
        await after
        await node.until(lambda: sorted(seen) == [1, 3])
        box = node.host("sink").mailbox
        await node.until(lambda: (box.depth.count, box.active, len(box._lanes or ())) == (0, 0, 0))


async def test_a_log_line_or_reply_with_odd_text_spoils_no_delivery(store: Store) -> None:
    done = Seen()

    async def take(me: Me, item: Item) -> None:
        me.port.log.warning("half a character: %s and \0", "\ud800")
        done.append(item.n)

    async with running(store, service("sink", take, retry=RetryPolicy(attempts=1))) as node:
        await node.send_all("sink", [Item(1), Item(2)])
        await node.until(lambda: node.statuses("sink") == ["DONE", "DONE"])
        assert done == [1, 2]


async def test_a_reply_with_odd_text_is_the_handlers_failure(durable: Store) -> None:
    async def take(me: Me, item: Item) -> Any:
        return {"text": "\ud800"}

    async with running(durable, service("sink", take, replies=Any, retry=RetryPolicy(attempts=1))) as node:
        with pytest.raises(RequestFailed):
            await node.request("sink", Item(1), Any)
        assert node.statuses("sink") == ["PARKED"]


async def test_messages_of_a_service_that_is_gone_wait_for_it(durable: Store, caplog: pytest.LogCaptureFixture) -> None:
    seen = Seen()

    async def never(me: Me, item: Item) -> None:
        await asyncio.sleep(60)

    node = await start(durable, service("old", never), service("other", seen.take))
    await node.send_all("old", [Item(n) for n in range(3)])
    await node.engine.stop(0.05)
    with caplog.at_level(logging.WARNING):
        async with running(durable, service("other", seen.take)) as node:
            await node.send("other", Item(9))
            await node.until(lambda: seen == [9])
    assert "3 messages wait for flow/old" in caplog.text
    async with running(durable, service("old", seen.take)) as node:
        await node.until(lambda: seen == [9, 0, 1, 2])
        await node.until(lambda: node.statuses("old") == ["DONE"] * 3)


async def test_a_type_that_changed_since_it_was_stored_is_parked_with_the_path(durable: Store) -> None:
    async def wait(me: Me, bag: Bag) -> None:
        await asyncio.sleep(60)

    node = await start(durable, service("sink", wait, accepts=Bag))
    await node.send("sink", Bag([1]))
    await node.engine.stop(0.05)

    @dataclass
    class Newer:
        items: list[str]

    Newer.__name__ = Newer.__qualname__ = "Bag"
    async with running(durable, service("sink", wait, accepts=Newer)) as node:
        await node.until(lambda: node.statuses("sink") == ["PARKED"])
        assert "Bag.items[0]" in node.attempts("sink")[0].failure.text
