"""Names of items, which a flow has in letters of its own."""

from __future__ import annotations

import pytest

from junctor.dialects.iop import BusinessOperation
from junctor.dialects.iop.definition import ItemDefinition, ProductionDefinition
from junctor.dialects.iop.hosting.flow import flow_of
from junctor.errors import ConfigurationError


class Store(BusinessOperation):
    def on_message(self, request):
        return request


@pytest.mark.parametrize(("one", "other", "name"), [("Demo.A", "Demo-a", "demo-a"), ("🎉", "🚀", "service")])
def test_two_items_that_are_one_here(one: str, other: str, name: str) -> None:
    items = tuple(ItemDefinition(name=each, class_name="Store") for each in (one, other))
    with pytest.raises(ConfigurationError, match=rf"the items {one} and {other} are one here \({name}\)"):
        flow_of(ProductionDefinition(name="Demo", items=items), lambda name: Store)
