"""Processes that are open while their classes change."""

from __future__ import annotations

from dataclasses import field, make_dataclass
from pathlib import Path
from typing import Any

import pytest

from junctor import Flow
from junctor.core.run import RunQuery, RunStatus
from junctor.dialects.iop.components import BusinessProcess
from junctor.testing import RunningFlow, running
from tests.unit.dialects.iop.process import parts
from tests.unit.dialects.iop.process.parts import Ask, Got
from tests.unit.dialects.iop.process.project import project


class Before(BusinessProcess):
    """The class as it was."""

    limit = 3

    def on_init(self) -> None:
        self.rate = 1

    def on_message(self, request: Ask) -> None:
        self.cart = parts.Cart(["a"], ("ann", 1))
        self.gone = "kept"
        self.send_request_async("Python.Slow", Ask(5))
        self.send_request_async("Python.Slow", Ask(9))

    def on_response(
        self, request: Ask, response: Any, call_request: Ask, call_response: Got, completion_key: str
    ) -> None:
        self.log_info(f"{self.cart} {self.gone} {self.limit}")


class After(Before):
    """The class as it is now: other values by its settings and on_init, and attributes that are new."""

    limit = 4
    new: str = "new"

    def on_init(self) -> None:
        self.rate = 2
        self.more: list[str] = []

    def on_response(
        self, request: Ask, response: Any, call_request: Ask, call_response: Got, completion_key: str
    ) -> None:
        self.more.append(self.new)
        self.log_info(f"{self.cart} {self.gone} {self.limit} {self.rate} {self.more}")


def desk(process: type[BusinessProcess]) -> Flow:
    return project().add(process, name="desk")


def lines(plant: RunningFlow) -> list[str]:
    return [line.text for line in plant.logs]


async def test_new_attributes_come_from_the_class_and_old_ones_from_the_conversation(tmp_path: Path) -> None:
    async with running(desk(Before), store=tmp_path / "store") as plant:
        await plant.send("desk", Ask(1))
    async with running(desk(After), store=tmp_path / "store") as plant:
        await plant.advance("10s")
        cart = "Cart(parts=['a'], owner=('ann', 1))"
        assert lines(plant) == [f"{cart} kept 4 2 ['new']", f"{cart} kept 4 2 ['new', 'new']"]


async def test_a_changed_class_of_an_attribute_has_the_defaults_of_new_fields(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(desk(Before), store=tmp_path / "store") as plant:
        await plant.send("desk", Ask(1))
    fields: list[Any] = [("owner", Any, None), ("colour", str, "red"), ("tags", list, field(default_factory=list))]
    made = make_dataclass("Cart", fields)
    made.__module__ = parts.__name__
    monkeypatch.setattr(parts, "Cart", made)
    async with running(desk(After), store=tmp_path / "store") as plant:
        await plant.advance("6s")
        assert lines(plant) == ["Cart(owner=('ann', 1), colour='red', tags=[]) kept 4 2 ['new']"]


async def test_a_class_that_is_gone_parks_the_reply_until_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(desk(Before), store=tmp_path / "store") as plant:
        await plant.send("desk", Ask(1))
    with monkeypatch.context() as without:
        without.delattr(parts, "Cart")
        async with running(desk(After), store=tmp_path / "store") as plant:
            with plant.expect_parked("NotRestorable", match=r"After\.cart: .*no class .*Cart any more", times=2):
                await plant.advance("10s")
            parked = plant.parked
    async with running(desk(After), store=tmp_path / "store") as plant:
        for each in parked:
            await plant.resend(each)
        assert [run.status for run in plant.node.archive.runs(RunQuery(service="project/desk"))] == [RunStatus.DONE]


async def test_an_untyped_reply_is_an_object_behind_a_restart_too(tmp_path: Path) -> None:
    class Asking(BusinessProcess):
        def on_message(self, request: Ask) -> None:
            answer = self.send_request_sync("Python.Slow", Ask(5))
            self.log_info(f"{type(answer).__name__} {answer.text}")

    async with running(project(Asking), store=tmp_path / "store") as plant:
        await plant.send("python-asking", Ask(1))
        await plant.restart()
        await plant.advance("6s")
        assert lines(plant) == ["Got None after 5"]
