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

from junctor import Flow, Sensitive, Service, connect, handler, post
from junctor.errors import DecodeError
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
    @post("/charge")
    async def charged(self, charge: Charge) -> None: ...

    @handler
    def charge(self, charge: Charge) -> None:
        print("charging", charge.card, file=sys.stderr)


def posted(port: int) -> str:
    body = json.dumps({"card": CARD}).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/charge", body, {"Content-Type": "application/json"}, method="POST"
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=10)
    return str(refused.value.read().decode())


async def test_what_a_validator_quotes_is_masked(short_dir: Path, free_port: int) -> None:
    async with Flow("bank").add(Bank()).running(store=short_dir / "store", http=f"127.0.0.1:{free_port}"):
        said = await asyncio.to_thread(posted, free_port)
        async with connect(short_dir / "store") as client:
            with pytest.raises(DecodeError) as refused:
                await client.send("bank", {"card": CARD})
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
