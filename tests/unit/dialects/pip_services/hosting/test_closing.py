"""A component that takes long to close: it is named, the others are closed, and nothing is opened over it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest

from junctor import Flow
from junctor.dialects.pip_services.commons.config import ConfigParams
from junctor.dialects.pip_services.commons.errors import InvalidStateException
from junctor.dialects.pip_services.commons.refer import Descriptor
from junctor.dialects.pip_services.components.build import Factory
from junctor.dialects.pip_services.container import Container
from junctor.dialects.pip_services.container.refer import closing as closing_module
from junctor.dialects.pip_services.container.refer.closing import Closing
from junctor.dialects.pip_services.hosting import hosted as hosted_module
from junctor.dialects.pip_services.hosting import spec as spec_module
from junctor.dialects.pip_services.hosting import turns as turns_module
from junctor.dialects.pip_services.hosting.flow import flow_of
from junctor.dialects.pip_services.hosting.hosted import Hosted

EVENTS: list[str] = []
MAY_END = threading.Event()


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    global EVENTS
    monkeypatch.setattr(spec_module, "STOP", 1.0)
    EVENTS = []  # what an earlier test has left running goes on writing to its own
    MAY_END.clear()
    yield
    MAY_END.set()


class Part:
    name = "quick"

    def __init__(self) -> None:
        self.events = EVENTS

    def open(self, correlation_id: str | None) -> None:
        self.events.append(f"{self.name} opens")

    def is_open(self) -> bool:
        return True

    def close(self, correlation_id: str | None) -> None:
        self.events.append(f"{self.name} closed")


class Slow(Part):
    name = "slow"

    def close(self, correlation_id: str | None) -> None:
        MAY_END.wait(30)
        super().close(correlation_id)


def container() -> Container:
    made = Container("shop")
    factory = Factory()
    factory.register_as_type(Descriptor("shop", "part", "quick", "*", "1.0"), Part)
    factory.register_as_type(Descriptor("shop", "part", "slow", "*", "1.0"), Slow)
    made.add_factory(factory)
    rows = [{"descriptor": f"shop:part:{kind}:default:1.0"} for kind in ("quick", "slow")]
    made.configure(ConfigParams.from_value(rows))
    return made


async def until(event: str) -> None:
    async with asyncio.timeout(20):
        while event not in EVENTS:
            await asyncio.sleep(0.01)


async def test_nothing_is_opened_over_what_is_still_being_closed(caplog: pytest.LogCaptureFixture) -> None:
    async with Flow.of(flow_of(Hosted(container()))).running(transport="memory") as node:
        host = node.engine.hosts["shop/container"]
        restart = asyncio.create_task(host.restart(0.0))
        async with asyncio.timeout(20):
            while "shop waits: shop:part:slow:default:1.0 is still being closed" not in caplog.text:
                await asyncio.sleep(0.01)
        assert EVENTS == ["quick opens", "slow opens"]
        MAY_END.set()
        await restart
        assert EVENTS[2:] == ["slow closed", "quick closed", "quick opens", "slow opens"]


async def test_an_opening_does_not_wait_for_ever(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns_module, "PATIENCE", 0.05)
    async with Flow.of(flow_of(Hosted(container()))).running(transport="memory") as node:
        await node.engine.hosts["shop/container"].restart(0.0)
        assert "shop:part:slow:default:1.0 is still being closed after" in caplog.text
        MAY_END.set()
        async with asyncio.timeout(20):
            while EVENTS.count("slow opens") < 2:
                await asyncio.sleep(0.01)


async def test_the_end_of_a_node_names_who_does_not_close_and_closes_the_others(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosted_module, "STOP", 0.8)
    async with Flow.of(flow_of(Hosted(container()))).running(transport="memory"):
        pass
    assert EVENTS == ["quick opens", "slow opens", "quick closed"]
    assert "shop:part:slow:default:1.0 did not close within 0.3 s" in caplog.text


async def test_a_closing_that_takes_its_time_hurries_when_the_node_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosted_module, "STOP", 0.8)
    async with Flow.of(flow_of(Hosted(container()))).running(transport="memory") as node:
        asyncio.get_running_loop().call_later(0.1, node.ask_stop, "test")
        restart = asyncio.create_task(node.engine.hosts["shop/container"].restart(0.0))
        await node.asked_to_stop()
    await restart
    assert "quick closed" in EVENTS and "slow closed" not in EVENTS


def test_what_ends_late_is_no_error_and_what_fails_late_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closing_module, "_SHARE", 0.01)
    closing = Closing()
    closing.limit(5.0)

    def fails() -> None:
        time.sleep(0.2)
        raise OSError("no disk")

    closing("late", lambda: time.sleep(0.2))
    closing("failing", fails)
    assert closing.current == "late, failing"
    [error] = closing.finish()
    assert (str(error), error.__notes__) == ("no disk", ["in close of failing"])
    assert closing.current == ""


def test_what_raises_in_time_raises_here() -> None:
    with pytest.raises(InvalidStateException, match="no"):
        Closing()("one", lambda: (_ for _ in ()).throw(InvalidStateException(None, "NO", "no")))
