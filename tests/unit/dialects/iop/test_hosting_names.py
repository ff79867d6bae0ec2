"""Items whose names or classes a flow cannot take as they are: one is told, the others run."""

from __future__ import annotations

import pytest

from junctor import Flow
from junctor.dialects.iop import BusinessOperation
from junctor.dialects.iop.definition import ItemDefinition, ProductionDefinition
from junctor.dialects.iop.hosting.flow import flow_of
from junctor.errors import ConfigurationError


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
