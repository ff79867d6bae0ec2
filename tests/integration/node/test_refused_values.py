"""A value that is refused is quoted by nobody, also where the class itself says why it refuses it."""

from __future__ import annotations

import asyncio
import json
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pydantic
import pytest
from websockets.asyncio.client import connect as opened
from websockets.exceptions import ConnectionClosed

from junctor import Flow, Sensitive, Service, Socket, action, connect, get, handler, post, websocket
from junctor.errors import DecodeError, JunctorError
from junctor.observe.prints import join_prints

CARD = "5105 1051 0510 5100"


class Charge(pydantic.BaseModel):
    card: Sensitive[str]

    @pydantic.field_validator("card")
    @classmethod
    def is_ours(cls, card: str) -> str:
        if card.startswith("5"):
            raise ValueError(f"{card} is no card of ours")
        return card


class Bank(Service):
    @get("/balance")
    async def balance(self, pin: Sensitive[int]) -> int:
        return pin

    @action
    def check(self, pin: Sensitive[int]) -> int:
        return pin

    @websocket("/watch")
    async def watch(self, socket: Socket[Charge, None]) -> None:
        async for _ in socket:
            pass

    @post("/charge")
    async def charged(self, charge: Charge) -> None: ...

    @handler
    def charge(self, charge: Charge) -> None:
        print("charging", charge.card, file=sys.stderr)


def posted(port: int) -> str:
    body = json.dumps({"card": CARD}).encode()
    return refused_by(port, "charge", body)


def refused_by(port: int, path: str, body: bytes | None = None) -> str:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/{path}", body, {"Content-Type": "application/json"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=10)
    return str(refused.value.read().decode())


async def test_what_a_validator_quotes_is_masked(short_dir: Path, free_port: int) -> None:
    async with Flow("bank").add(Bank()).running(store=short_dir / "store", http=f"127.0.0.1:{free_port}"):
        said = await asyncio.to_thread(posted, free_port)
        async with connect(short_dir / "store") as client:
            with pytest.raises(DecodeError) as refused:
                await client.send("bank", {"card": CARD})
        async with opened(f"ws://127.0.0.1:{free_port}/watch") as socket:
            await socket.send(json.dumps({"card": CARD}))
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
    assert "*** is no card of ours" in str(closed.value) and CARD not in str(closed.value)
    assert "*** is no card of ours" in said and CARD not in said
    assert "*** is no card of ours" in str(refused.value) and CARD not in str(refused.value)


async def test_what_goes_to_standard_error_is_masked(capfd: pytest.CaptureFixture[str]) -> None:
    undo = join_prints()
    try:
        async with Flow("bank").add(Bank()).running(transport="memory") as node:
            await node.target("bank", Charge).request(Charge(card="4105 1051"), timeout=10)
    finally:
        undo()
    assert "charging ***" in capfd.readouterr().err


async def test_a_parameter_that_does_not_fit_is_not_quoted(short_dir: Path, free_port: int) -> None:
    async with Flow("bank").add(Bank()).running(store=short_dir / "store", http=f"127.0.0.1:{free_port}"):
        said = await asyncio.to_thread(refused_by, free_port, "balance?pin=s3cret-pin")
        async with connect(short_dir / "store") as client:
            with pytest.raises(JunctorError) as refused:
                await client.call("bank", "check", pin="s3cret-pin")
    assert "query parameter pin: expected int" in said
    assert "bank" in str(refused.value) and "pin" in str(refused.value)
    assert "s3cret" not in said + str(refused.value)
