"""What a validation finds."""

from __future__ import annotations

from typing import Any

import pytest

from junctor.dialects.iop import (
    BusinessOperation,
    BusinessProcess,
    BusinessService,
    InboundAdapter,
    Production,
    ProductionValidationError,
    setting,
    target,
)


class Orders(BusinessService):
    Output = target(required=True)
    count: int = 1
    path: str = setting(required=True)


class Routing(BusinessProcess):
    pass


class Store(BusinessOperation):
    pass


class Inbound(InboundAdapter):
    port: int = 80


def _valid() -> Production:
    prod = Production("Demo")
    prod.service("In", Orders, settings={"path": "/x"}, adapter_class=Inbound).connect("Output", "Store")
    prod.operation("Store", Store, settings={"%settings": "anything=1", "RetryInterval": "2", "FailureTimeout": -1})
    return prod


def test_a_valid_production_has_no_issue() -> None:
    report = _valid().validate(strict=True)
    assert report.is_valid
    assert str(report) == "Demo\n  valid"


CASES: list[tuple[str, str, str, Any]] = [
    ("unknown-target", "In.Output", "Stroe", lambda prod: prod.connect("In.Output", "Stroe")),
    ("unconnected-target", "In.Output", "leads nowhere", lambda prod: prod.disconnect("In.Output")),
    ("missing-setting", "In.path", "required", lambda prod: prod.item("In").setting("path", "")),
    ("unknown-setting", "In.cuont", 'Did you mean "count"', lambda prod: prod.item("In").setting("cuont", 1)),
    ("setting", "In.count", 'expected int, got "many"', lambda prod: prod.item("In").setting("count", "many")),
    ("setting", "In.RetryInterval", "", lambda prod: prod.item("In").setting("RetryInterval", "soon")),
    ("setting", "In.port", "expected int", lambda prod: prod.item("In").adapter_setting("port", "http")),
    ("unknown-setting", "In.prot", "port", lambda prod: prod.item("In").adapter_setting("prot", "80")),
    ("pool-size", "Store", "0", lambda prod: prod.item("Store").pool(0)),
    ("pool-size", "In", "-1", lambda prod: prod.item("In").pool(-1)),
    ("pool-size", "Store", "2000", lambda prod: prod.item("Store").pool(2000)),
    ("pool-size", "Store", "'2'", lambda prod: prod.item("Store").pool("2")),
    ("pool-size", "", "ActorPoolSize", lambda prod: prod.actor_pool(0)),
    ("schedule", "In.Schedule", "", lambda prod: prod.item("In").schedule_on("at noon")),
    ("duplicate-name", "STORE", "one here (store)", lambda prod: prod.operation("STORE", Store)),
]


@pytest.mark.parametrize(("code", "place", "text", "change"), CASES)
def test_each_mistake_is_found_with_its_place(code: str, place: str, text: str, change: Any) -> None:
    prod = _valid()
    change(prod)
    [issue] = prod.validate().issues
    found = ".".join(part for part in (issue.item, issue.setting) if part)
    assert (issue.code, found) == (code, place)
    assert text in issue.message
    with pytest.raises(ProductionValidationError) as caught:
        prod.validate(strict=True)
    assert caught.value.report.issues == (issue,)
    assert isinstance(caught.value, ValueError)


def test_a_process_may_share_the_actor_pool() -> None:
    prod = Production("Demo")
    prod.process("Way", Routing, pool_size=0)
    assert prod.validate().is_valid


def test_of_a_class_that_is_only_a_name_the_settings_are_not_looked_at() -> None:
    prod = Production("Demo")
    prod.service("In", class_name="Python.Elsewhere", settings={"Anything": "goes"})
    assert prod.validate().is_valid
