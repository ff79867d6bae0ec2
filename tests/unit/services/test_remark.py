"""``remark()``: what a service says of itself beside its state."""

from __future__ import annotations

from typing import ClassVar

import pytest

from junctor import Flow, Service, handler
from junctor.flows.wiring import wire
from junctor.node.views.status import ServiceStatus, status_of
from junctor.runtime.engine import Engine
from junctor.services.native import spec_of
from junctor.settings import Secret, setting
from junctor.transports.memory import MemoryTransport


class Telling(Service):
    text: str = setting("connected")
    password: Secret = setting(Secret("no-word-for-status"))

    def remark(self) -> str:
        return self.text

    @handler
    def on(self, body: dict) -> None:  # type: ignore[type-arg]
        pass


class Broken(Telling):
    def remark(self) -> str:
        raise OSError("no line to the other side")


class Leaving(Telling):
    def remark(self) -> str:
        raise SystemExit(3)


class Number(Telling):
    def remark(self) -> str:
        return 7  # type: ignore[return-value]


class Third(Telling):
    def on_start(self) -> None:
        Third.instances.append(self)

    def remark(self) -> str:
        return "connected" if self is Third.instances[2] else ""

    instances: ClassVar[list[Service]] = []


async def shown(service: Service, pool: int = 1) -> ServiceStatus:
    engine = Engine(MemoryTransport())
    await engine.open()
    engine.add(wire(Flow("f").add(service, name="one", pool=pool)).plan)
    await engine.start()
    try:
        (found,) = status_of(engine, {}, {}).services
        return found
    finally:
        await engine.stop(1)


@pytest.mark.parametrize(
    ("service", "said"),
    [
        (Telling(text="connected to host:1883"), "connected to host:1883"),
        (Telling(text="two\n  lines"), "two lines"),
        (Telling(text=""), ""),
        (Telling(text="by no-word-for-status"), "by ***"),
        (Telling(text="x" * 10_000), "x" * 500),
        (Broken(), "remark() raised OSError"),
        (Leaving(), "remark() raised SystemExit"),
        (Number(), "7"),
    ],
)
async def test_it_is_shown_and_never_breaks_the_status(service: Service, said: str) -> None:
    found = await shown(service)
    assert (found.state, found.reason) == ("running", said)


async def test_of_several_instances_the_first_with_something_to_say_tells_it() -> None:
    assert (await shown(Third(), pool=4)).reason == "connected"


def test_the_name_is_free_for_everything_else() -> None:
    class Setting(Service):
        remark: str = setting("a word")

    class Plain(Service):
        remark = "a word"

    class Asks(Service):
        def remark(self, order: int) -> str:
            return f"order {order}"

    class Handles(Service):
        @handler
        def remark(self, body: dict) -> None:  # type: ignore[type-arg]
            pass

    class Waits(Service):
        async def remark(self) -> str:
            return ""

    class Property(Service):
        @property
        def remark(self) -> str:
            return ""

    assert [spec_of(kind).remark for kind in (Setting, Plain, Asks, Handles, Waits, Property)] == [None] * 6
    assert Setting(remark="other").remark == "other"
