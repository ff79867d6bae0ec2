"""Productions that are composed in Python: items, options, connections, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from junctor.dialects.iop import (
    BusinessOperation,
    BusinessProcess,
    BusinessService,
    InboundAdapter,
    Message,
    OperationItem,
    ProcessItem,
    Production,
    Route,
    ServiceItem,
    TargetSettingRef,
    target,
)
from junctor.dialects.iop.definition import SettingValue


class Orders(BusinessService):
    Output = target()
    Other = target()
    path: str = "/tmp"


class Routing(BusinessProcess):
    Store = target()


class Store_Op(BusinessOperation):
    pass


class Inbound(InboundAdapter):
    pass


class Ordered(Message):
    pass


def test_items_have_the_options_of_the_call_and_the_usual_ones_else() -> None:
    prod = Production("Demo.Production")
    ref = prod.operation(
        "Store",
        Store_Op,
        pool_size=3,
        enabled=False,
        category="a,b",
        comment="c",
        schedule="",
        settings={"Count": 3, "On": True, "Gone": None},
        adapter_settings={"Port": 80},
    )
    item = prod.to_definition().items[0]
    assert (item.name, item.class_name, item.pool_size, item.enabled) == (
        "Store",
        f"Python.{__name__.replace('_', '')}.StoreOp",
        3,
        False,
    )
    assert item.settings == (
        SettingValue("Count", "3"),
        SettingValue("On", "1"),
        SettingValue("Port", "80", "Adapter"),
    )
    assert prod.item("Store") is ref is prod.component_ref("Store") is prod.get_component(ref)


def test_a_class_alone_names_its_item() -> None:
    prod = Production("Demo")
    assert prod.operation(Store_Op).name == "Store_Op"
    assert prod.component("any", class_name="EnsLib.File.Service").kind == "component"
    assert prod.component("s", Orders).kind == "service"


def test_connections_are_replaced_added_to_removed_and_taken_away() -> None:
    prod = Production("Demo")
    orders, routing = prod.service(Orders), prod.process(Routing)
    store = prod.operation("Store", Store_Op)
    prod.connect(orders.Output, routing)
    assert str(orders.Output) == "Orders.Output"
    prod.connect("Orders.Output", store, mode="add")
    assert prod.resolve_target(orders.Output) == "Routing,Store"
    prod.connect(orders.Output, "Routing", mode="remove")
    assert orders.host_settings == {"Output": "Store"}
    orders.connect("Output", [routing, "Store", store])
    assert [(edge.source_item, edge.source_target_setting, edge.target) for edge in prod.edges] == [
        ("Orders", "Output", "Routing"),
        ("Orders", "Output", "Store"),
    ]
    prod.disconnect(orders.Output)
    assert prod.edges == ()


def test_items_are_changed_and_deleted() -> None:
    prod = Production("Demo")
    prod.operation("Store", class_name="Python.Store", settings={"a": "1", "b": "2"})
    ref = prod.update_component("Store", pool_size=4, settings={"a": None, "c": 3})
    assert (ref.pool_size, ref.host_settings) == (4, {"b": "2", "c": "3"})
    ref.pool(2).disable().trace().comment_as("x").category_as("y").run_foreground().schedule_on("z").adapter_setting(
        "p", 1
    )
    assert ref.to_dict()["@PoolSize"] == "2"
    prod.delete_component("Store")
    assert prod.items == ()


def test_a_declared_production_is_the_same_as_a_composed_one() -> None:
    class Demo(Production):
        name = "Demo.Production"
        testing_enabled = True
        shutdown_timeout = 30
        services = (ServiceItem("In", Orders, routes=[Route(Orders.Output, "Way"), Route("Other", ["Way", "Store"])]),)
        processes = [ProcessItem("Way", Routing, pool_size=0)]
        operations = (OperationItem("Store", Store_Op, host_settings={"a": 1}, other_settings={"X": {"b": 2}}),)

    composed = Production("Demo.Production", testing_enabled=True).timeouts(shutdown=30)
    composed.service("In", Orders).connect("Output", "Way").connect("Other", ["Way", "Store"])
    composed.process("Way", Routing, pool_size=0)
    composed.operation("Store", Store_Op, settings={"a": 1}).other_setting("X", "b", 2)
    assert Demo().to_definition() == composed.to_definition()
    assert Demo(actor_pool_size=5).to_definition().actor_pool_size == 5


def test_a_declared_production_without_a_name_has_that_of_its_class() -> None:
    class Base(Production):
        pass

    class Derived(Base):
        name = "Named"

    assert (Base().name, Derived().name, Derived("Other").name) == ("Base", "Named", "Other")


def test_attributes_become_settings_of_the_production_where_they_differ() -> None:
    prod = Production("Demo", update_timeout=20).alerting(manager="M", action_window=5).describe("d").actor_pool(3)
    assert {one.name: one.value for one in prod.to_definition().settings} == {
        "UpdateTimeout": "20",
        "AlertNotificationManager": "M",
        "AlertActionWindow": "5",
    }
    read = Production.from_definition(prod.to_definition())
    assert (read.update_timeout, read.alert_notification_manager, read.shutdown_timeout) == (20, "M", 120)


def _prod() -> Production:
    prod = Production("Demo")
    prod.service("In", Orders)
    return prod


class _Wrong(Production):
    services = (OperationItem("Store", Store_Op),)


REFUSED: list[tuple[type[Exception], str, Any]] = [
    (ValueError, "already", lambda: _prod().operation("In", Store_Op)),
    (TypeError, "is an operation, not a service", lambda: _prod().service(Store_Op)),
    (TypeError, "cannot be an item", lambda: _prod().service(Ordered)),
    (TypeError, "write class_name='Shop.Till'", lambda: _prod().process("Till", "Shop.Till")),
    (TypeError, "services holds ServiceItem", _Wrong),
    (TypeError, "InboundAdapter", lambda: _prod().service("x", Orders, adapter_class=Store_Op)),
    (TypeError, "a setting is text", lambda: _prod().service("x", Orders, settings={"a": {}})),
    (TypeError, "dictionary", lambda: _prod().service("x", Orders, settings=["a"])),
    (TypeError, "unexpected keyword", lambda: _prod().service("x", Orders, pool=3)),
    (TypeError, 'Did you mean "pool_size"', lambda: _prod().update_component("In", pool=3)),
    (ValueError, "needs a name", lambda: Production("")),
    (ValueError, "needs a name", lambda: _prod().operation("", Store_Op)),
    (ValueError, 'Did you mean "In"', lambda: _prod().item("Ino")),
    (ValueError, "another production", lambda: _prod().connect("In.Output", _prod().item("In"))),
    (ValueError, 'Did you mean "Output"', lambda: _prod().connect("In.Outptu", "x")),
    (ValueError, "names no target setting", lambda: _prod().connect("In", "x")),
    (ValueError, "mode is one of", lambda: _prod().connect("In.Output", "x", mode="swap")),
    (TypeError, "leads to an item", lambda: _prod().connect("In.Output", 3)),
    (TypeError, "leads to an item", lambda: _prod().connect("In.Output", TargetSettingRef("In", "Output"))),
    (AttributeError, 'Did you mean "Output"', lambda: _prod().item("In").Outptu),
    (ValueError, "routes", lambda: ServiceItem("x", Orders, settings={"Output": "a"}, routes=[Route("Output", "b")])),
    (TypeError, "Route(...)", lambda: ServiceItem("x", Orders, routes=["Output"])),  # type: ignore[list-item]
    (ValueError, "kind is", lambda: _prod().component("x", Orders, kind="thing")),
    (ValueError, "direction is", lambda: _prod().to_mermaid("XY")),
    (NotImplementedError, "not offered yet", lambda: _prod().plan()),
    (TypeError, "is no message", lambda: _prod().message(Store_Op)),
]


@pytest.mark.parametrize(("kind", "text", "call"), REFUSED)
def test_what_is_wrong_is_told_at_once(kind: type[Exception], text: str, call: Any) -> None:
    with pytest.raises(kind) as caught:
        call()
    assert text.lower() in str(caught.value).lower()


def test_two_classes_cannot_be_registered_under_one_name() -> None:
    prod = Production("Demo")
    prod.operation("a", Store_Op, class_name="Python.X")
    prod.service("b", Orders, class_name="Python.X")
    with pytest.raises(ValueError, match="two classes are called"):
        prod.component_registrations()


def test_an_adapter_is_registered_beside_its_host() -> None:
    prod = Production("Demo")
    prod.service("In", Orders, adapter_class=Inbound)
    name = prod.to_definition().items[0].adapter_class_name
    assert prod.adapter_registrations() == {name: Inbound}
    assert prod.component_registrations() == {prod.item("In").class_name: Orders}
