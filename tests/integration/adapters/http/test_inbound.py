"""http-in: what becomes of requests, and what their senders hear."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import io
from typing import Any

import aiohttp
import pytest

from junctor import Flow, Service, handler
from junctor.adapters import HttpIn, HttpOut
from junctor.errors import DecodeError
from junctor.testing import running
from tests.integration.adapters.http.flows import Customer, Customers, Sink, comes, parked, sinks
from tests.integration.adapters.http.partner import Partner


@pytest.fixture(autouse=True)
def _no_sinks() -> None:
    sinks.clear()


class Answering(Service):
    """Replies."""

    @handler
    async def take(self, body: Customer) -> Customer | None:
        if body.id == 0:
            return None
        if body.id < 0:
            raise ValueError("the database is at 10.0.0.7")
        return Customer(body.id + 1, body.name)


class Slow(Sink):
    """Does not come to an end."""

    @handler
    async def take(self, body: Any) -> None:
        await self.sleep("1h")


def inbound(sink: type[Service] = Sink, queue: Any = None, **settings: Any) -> Flow:
    flow = Flow("shop").add(HttpIn(**{"path": "/hook", **settings}), name="hook", connect={"out": "sink"})
    return flow.add(sink, name="sink", **({"queue": queue} if queue else {}), retry={"attempts": 1})


async def test_a_request_becomes_a_message() -> None:
    async with running(inbound(headers=["X-Event"])) as plant:
        answer = await plant.http.post("/hook", json={"n": 1}, headers={"X-Event": "push", "X-Other": "1"})
        assert answer.status == 202 and list(answer.json()) == ["id"]
        assert sinks[0].taken == [({"n": 1}, {"x-event": "push"})]


async def test_it_is_read_as_the_receiver_takes_it_and_parked_where_it_does_not_fit() -> None:
    async with running(inbound(Customers)) as plant:
        assert (await plant.http.post("/hook", form={"id": "7", "name": "Ann"})).status == 202
        with plant.expect_parked(DecodeError):
            assert (await plant.http.post("/hook", json={"id": "x", "name": "Ann"})).status == 202
        assert sinks[0].bodies == [Customer(7, "Ann")]


@pytest.mark.parametrize(
    "sent", [{"json": {"k": "x" * 2000}}, {"json": {"k": ""}, "headers": {"X-Event": "x" * 20_000}}]
)
async def test_labels_that_are_too_large_are_the_callers_fault(sent: Any, caplog: pytest.LogCaptureFixture) -> None:
    async with running(inbound(key="body.k", headers=["X-Event"])) as plant:
        answer = await plant.http.post("/hook", **sent)
        assert answer.status == 413 and b"characters" in answer.body and b"shop/" not in answer.body
    assert not caplog.records


async def test_the_methods_are_those_of_the_setting() -> None:
    async with running(inbound(methods=["get", "PUT"])) as plant:
        assert (await plant.http.get("/hook", params={"mode": "subscribe"})).status == 202
        assert (await plant.http.put("/hook", json=1)).status == 202
        assert (await plant.http.post("/hook", json=1)).status == 405
        assert (await plant.http.request("HEAD", "/hook")).status == 200
        assert sinks[0].bodies == [{"mode": "subscribe"}, 1]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"body": b"{", "headers": {"content-type": "application/json"}}, 400),
        ({"body": b"x", "headers": {"content-type": "image/png"}}, 415),
        ({"body": b"x" * 101, "headers": {"content-type": "text/plain"}}, 413),
        ({"body": b"x", "headers": {"content-type": "text/plain", "content-encoding": "gzip"}}, 415),
        ({"json": {"n": 1}}, 400),
    ],
)
async def test_what_cannot_be_read_is_refused_and_counted(sent: Any, status: int, caplog: Any) -> None:
    async with running(inbound(limit=100, once_by="body.id")) as plant:
        answer = await plant.http.post("/hook", **sent)
        assert answer.status == status and answer.headers["content-type"] == "application/problem+json"
        assert not sinks[0].taken
        assert f'what="refused-{status}"}} 1' in (await plant.http.get("/metrics")).text
    assert "hook" not in caplog.text


async def test_a_delivery_that_comes_again_gets_the_same_answer() -> None:
    async with running(inbound(once_by="headers['x-delivery']")) as plant:
        answers = [
            (await plant.http.post("/hook", json={"n": n}, headers={"X-Delivery": name})).json()
            for n, name in enumerate(["a", "b" * 3000, "a", "b" * 3000])
        ]
        assert answers[0] == answers[2] != answers[1] == answers[3]
        assert sinks[0].bodies == [{"n": 0}, {"n": 1}]


async def test_a_key_keeps_messages_in_order() -> None:
    async with running(inbound(key="body.line")) as plant:
        await plant.http.post("/hook", json={"line": 7})
        assert [message.key for message in plant.messages if message.target == "shop/sink"] == ["7"]


def signed(body: bytes, time: str = "", secret: bytes = b"hush-hush") -> dict[str, str]:
    text = f"{time}.".encode() + body if time else body
    signature = hmac.new(secret, text, hashlib.sha256).hexdigest()
    return {"X-Signature": signature, "content-type": "application/json"} | ({"X-Time": time} if time else {})


async def test_only_who_has_a_secret_is_heard(caplog: Any) -> None:
    settings: dict[str, Any] = {"signature": "hmac", "secrets": ["hush-hush", "new-new-new"]}
    async with running(inbound(**settings)) as plant:
        for secret, status in ((b"hush-hush", 202), (b"new-new-new", 202), (b"wrong", 401)):
            assert (await plant.http.post("/hook", body=b"1", headers=signed(b"1", secret=secret))).status == status
        assert (await plant.http.post("/hook", body=b"2", headers=signed(b"1"))).status == 401
        unsigned = await plant.http.post("/hook", json=1)
        assert unsigned.status == 401 and unsigned.json()["code"] == "signature"
        assert sinks[0].bodies == [1, 1]
        assert 'what="refused-401"} 3' in (await plant.http.get("/metrics")).text
    assert "hook" not in caplog.text


async def test_what_was_overheard_is_not_taken_later() -> None:
    settings: dict[str, Any] = {"signature": "hmac", "secrets": ["hush-hush"], "timestamp_header": "X-Time"}
    async with running(inbound(**settings)) as plant:
        sent = {"body": b"1", "headers": signed(b"1", str(int(plant.now.timestamp())))}
        assert (await plant.http.post("/hook", **sent)).status == 202
        await plant.advance("4m")
        assert (await plant.http.post("/hook", **sent)).status == 202
        await plant.advance("2m")
        assert (await plant.http.post("/hook", **sent)).status == 401


async def test_the_answer_is_made_of_the_message() -> None:
    answer = '{has(body.challenge) ? body.challenge : "ok " + message.id}'
    async with running(inbound(answer=answer, answer_type="text/plain", status=200)) as plant:
        first = await plant.http.post("/hook", json={"challenge": "c-1"})
        assert (first.status, first.text, first.headers["content-type"]) == (200, "c-1", "text/plain; charset=utf-8")
        second = await plant.http.post("/hook", json={})
        assert second.text.startswith("ok ") and len(second.text) > 4
        third = await plant.http.post("/hook", json=[1])
        assert third.status == 200 and third.json()["id"] and len(sinks[0].bodies) == 3


async def test_a_reply_is_the_answer() -> None:
    async with running(inbound(Answering, reply=True)) as plant:
        answer = await plant.http.post("/hook", json={"id": 7, "name": "Ann"})
        assert (answer.status, answer.json()) == (200, {"id": 8, "name": "Ann"})
        assert (await plant.http.post("/hook", json={"id": 0, "name": ""})).status == 204
        with plant.expect_parked(DecodeError):
            assert (await plant.http.post("/hook", json={"id": "x"})).status == 422
        with plant.expect_parked(ValueError):
            failed = await plant.http.post("/hook", json={"id": -1, "name": ""})
        assert failed.status == 502 and "10.0.0.7" not in failed.text


async def test_a_reply_that_does_not_come_in_time() -> None:
    async with running(inbound(Slow, reply=True, timeout="5s")) as plant:
        assert (await plant.http.post("/hook", json=1, within="6s")).status == 504
        await plant.advance("2h")


async def test_a_full_queue_says_when_to_come_again() -> None:
    async with running(inbound(Slow, queue={"limit": 2, "wait": "1s"})) as plant:
        statuses = [(await plant.http.post("/hook", json=n, within="2s")) for n in range(4)]
        assert [one.status for one in statuses][-1] == 503
        assert statuses[-1].headers["retry-after"] == "1"
        await plant.advance("6h")


async def test_over_a_socket_it_is_on_disk_when_it_is_answered(short_dir: Any) -> None:
    flow = inbound(Slow, limit=2_000_000)
    async with flow.running(store=short_dir / "store", http=True) as node, aiohttp.ClientSession() as session:
        async with session.post(f"{node.url}/hook", json={"n": 1}) as answer:
            assert answer.status == 202
            number = (await answer.json())["id"]
        async with session.post(f"{node.url}/hook", data=io.BytesIO(bytes(1_100_000))) as answer:
            assert answer.status == 413
        async with session.get(f"{node.url}/openapi.json") as answer:
            assert list((await answer.json())["paths"]["/hook"]) == ["post"]
        assert next(one for one in node.status().services if one.service == "sink").queued == 1
        assert number


async def test_a_client_that_goes_in_the_body_leaves_nothing() -> None:
    async with inbound().running(transport="memory", http=True) as node:
        host, port = node.url.removeprefix("http://").split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(b'POST /hook HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"n":')
        await writer.drain()
        writer.close()
        async with aiohttp.ClientSession() as session, session.post(f"{node.url}/hook", json=2) as answer:
            assert answer.status == 202
        await comes(lambda: sinks[0].bodies)
        assert sinks[0].bodies == [2] and not parked(node, "sink")


async def test_a_refusal_is_not_the_answer_for_ever(short_dir: Any) -> None:
    """Somebody signed with the wrong secret, and sends the delivery again with the right one."""
    flow = inbound(signature="hmac", secrets=["hush-hush"])
    async with flow.running(store=short_dir / "store", http=True) as node, aiohttp.ClientSession() as session:
        for secret, status in ((b"wrong", 401), (b"hush-hush", 202), (b"hush-hush", 202)):
            headers = signed(b"1", secret=secret) | {"Idempotency-Key": "d-1"}
            async with session.post(f"{node.url}/hook", data=b"1", headers=headers) as answer:
                assert answer.status == status
        await comes(lambda: sinks[0].bodies)
        assert sinks[0].bodies == [1]


async def test_in_worker_processes() -> None:
    """In by a signed webhook, out to another one, each adapter in a process of its own."""
    async with Partner() as partner:
        settings: dict[str, Any] = {"signature": "hmac", "secrets": ["hush-hush"], "key": "body.line"}
        out = HttpOut(url=f"{partner.url}/{{body.line}}", headers={"X-Line": "{body.line}"}, rate="50/s", path="/{key}")
        flow = Flow("shop").add(out, name="crm", isolate="worker")
        flow.add(HttpIn(path="/hook", **settings), name="hook", connect={"out": "crm"}, isolate="worker")
        async with flow.running(transport="memory", http=True) as node, aiohttp.ClientSession() as session:
            body = b'{"line": 7}'
            async with session.post(f"{node.url}/hook", data=body, headers=signed(body)) as answer:
                assert answer.status == 202
            await comes(lambda: partner.asked)
            assert (partner.asked[0].path, partner.asked[0].headers["X-Line"]) == ("/7/7", "7")
