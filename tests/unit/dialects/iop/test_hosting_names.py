"""Items whose names or classes a flow cannot take as they are: one is told, the others run."""

from __future__ import annotations

from typing import Any

import pytest

from junctor import Flow
from junctor.core.lifecycle import State
from junctor.dialects.iop import BusinessOperation, BusinessProcess
from junctor.dialects.iop.definition import ItemDefinition, ProductionDefinition, SettingValue
from junctor.dialects.iop.hosting.flow import flow_of
from junctor.errors import ConfigurationError
from junctor.flows import wire
from junctor.flows.comparison import compare


class Store(BusinessOperation):
    def on_message(self, request):
        return request


class NoAdapter(BusinessOperation):
    def get_adapter_type():
        raise RuntimeError("no adapter today")


class NoWords(BusinessOperation):
    path = "/tmp"

    def path_info(self):
        raise KeyError("words")


@pytest.mark.parametrize(("one", "other", "name"), [("Demo.A", "Demo-a", "demo-a"), ("🎉", "🚀", "service")])
def test_two_items_that_are_one_here(one: str, other: str, name: str) -> None:
    items = tuple(ItemDefinition(name=each, class_name="Store") for each in (one, other))
    with pytest.raises(ConfigurationError, match=rf"the items {one} and {other} are one here \({name}\)"):
        flow_of(ProductionDefinition(name="Demo", items=items), lambda name: Store)


@pytest.mark.parametrize(
    ("cls", "what"),
    [(NoAdapter, "get_adapter_type() fails: RuntimeError: no adapter today"), (NoWords, "path_info() fails: KeyError")],
)
def test_a_class_whose_answers_fail_is_an_item_in_error(cls: type, what: str) -> None:
    items = (ItemDefinition(name="Bad", class_name="Bad"), ItemDefinition(name="Good", class_name="Good"))
    made = flow_of(ProductionDefinition(name="Demo", items=items), lambda name: cls if name == "Bad" else Store)
    [note] = made.notes
    assert what in note and f"{cls.__module__}.{cls.__qualname__}" in note
    assert [one.name for one in Flow.of(made).services] == ["bad", "good"]
    assert all(one.spec().name == one.name for one in Flow.of(made).services)


class Late(BusinessOperation):
    late: float = 1.0

    def on_message(self, request):
        return request


@pytest.mark.parametrize(
    ("definition", "what"),
    [
        (ItemDefinition(name="Bad", class_name="Late", settings=(SettingValue("late", "many"),)), "Bad.late"),
        (ItemDefinition(name="Bad", class_name="Late", schedule="at eight"), "Bad.Schedule"),
        (ItemDefinition(name="Bad", class_name="Late", pool_size=5000), "Bad.PoolSize"),
        (
            ItemDefinition(name="Bad", class_name="Late", settings=(SettingValue("ReplyCodeActions", "E=Z"),)),
            "Bad.ReplyCodeActions",
        ),
        (
            ItemDefinition(name="Bad", class_name="Late", settings=(SettingValue("CallInterval", "-1"),)),
            "Bad.CallInterval",
        ),
        (
            ItemDefinition(name="Bad", class_name="Gone", settings=(SettingValue("QueueCountAlert", "some"),)),
            "no class Gone",
        ),
    ],
)
async def test_a_setting_that_cannot_be_read_keeps_its_item_from_the_start_and_no_other(
    definition: ItemDefinition, what: str
) -> None:
    def classes(name: str) -> type:
        if name == "Gone":
            raise ConfigurationError("no class Gone")
        return Late

    items = (definition, ItemDefinition(name="Good", class_name="Late"))
    made = flow_of(ProductionDefinition(name="Demo", items=items), classes)
    assert any(what in note for note in made.notes)
    async with Flow.of(made).running(transport="memory") as node:
        assert await node.target("good", Any, Any).request("", timeout=5) == ""
        await node.target("bad", Any).send("")
        bad = node.engine.hosts["demo/bad"]
        assert (bad.lifecycle.state, bad.depth.count) == (State.FAILED, 1)
        assert what in bad.lifecycle.reason


class Flowing(BusinessProcess):
    def on_message(self, request):
        return request


def changes(*items: ItemDefinition, **fields: Any) -> list[str]:
    """What the production says, compared with one of three items."""

    def wiring(production: ProductionDefinition) -> Any:
        return wire(flow_of(production, {"Late": Late, "Flowing": Flowing}.__getitem__))

    before = tuple(ItemDefinition(name=name, class_name=cls) for name, cls in THREE.items())
    after = tuple({one.name: one for one in (*before, *items)}.values())
    found = compare(
        wiring(ProductionDefinition(name="Demo", items=before)),
        wiring(ProductionDefinition(name="Demo", items=after, **fields)),
    )
    return [str(one) for one in found.services if one.kind != "same"]


THREE = {"One": "Late", "Two": "Late", "Three": "Flowing"}


def test_only_an_item_that_is_different_starts_again() -> None:
    assert changes() == []
    assert changes(testing_enabled=True, actor_pool_size=7, description="more") == []
    assert changes(ItemDefinition(name="One", class_name="Late", pool_size=4)) == [
        "one: PoolSize none -> 4, pool 1 -> 4"
    ]
    assert changes(ItemDefinition(name="Three", class_name="Flowing", pool_size=3)) == [
        "three: PoolSize none -> 3, pool 1 -> 3"
    ]
    assert changes(ItemDefinition(name="New", class_name="Late")) == ["new"]
    late = (SettingValue("late", "2"),)
    assert changes(ItemDefinition(name="Two", class_name="Late", settings=late)) == ["two: late none -> 2.0"]
    assert changes(ItemDefinition(name="Two", class_name="Flowing"))[0].startswith("two: ")
