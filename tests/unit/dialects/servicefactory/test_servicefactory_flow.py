"""Services of Service Factory that share a flow: each has its own actions, and is called from any process."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from junctor import Flow
from junctor.dialects.servicefactory import Service
from junctor.dialects.servicefactory.token import read_url
from junctor.http.settings import HttpSettings


class One(Service.base):
    PORT = 31234
    loops = 0

    def loop(self) -> None:
        type(self).loops += 1

    @Service.API.handle("action")
    def act(self, data: bytes) -> bytes:
        return b"one " + data


class Two(One):
    PORT = 31235

    @Service.API.handle("action")
    def act(self, data: bytes) -> bytes:
        return b"two " + data


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


async def done(cls: type[Any], action: str) -> str:
    answer = await asyncio.to_thread(cls.perform, action, "x")
    return f"{answer.status_code} {answer.text}"


async def test_two_with_one_action_in_a_flow_with_a_prefix() -> None:
    flow = Flow("plant", http=HttpSettings(path="/hall")).add(One).add(Two)
    async with flow.running(transport="memory", http=True) as node:
        assert One.url("action") == f"{node.url}/hall/one/action"
        assert [await done(cls, "action") for cls in (One, Two)] == ["200 one x", "200 two x"]
        assert (await done(One, "shutdown")).startswith("200")
        assert (await done(Two, "action")) == "200 two x"
    assert read_url(31235) == "" and Two.url("action") == "http://localhost:31235/action"
