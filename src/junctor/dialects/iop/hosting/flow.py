"""A production as a flow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from junctor.core.spec import service_name
from junctor.dialects.iop.definition import ItemDefinition, ProductionDefinition
from junctor.dialects.iop.hosting.alerts import PROCESSOR, rules_of
from junctor.dialects.iop.hosting.guard import check_rules
from junctor.dialects.iop.hosting.inbound import adapter_class
from junctor.dialects.iop.hosting.item import Item
from junctor.dialects.iop.hosting.known import KNOWN
from junctor.dialects.iop.hosting.values import declared_settings, flattened, known
from junctor.dialects.iop.settings import generated_settings
from junctor.errors import ConfigurationError
from junctor.flows.model import FlowModel
from junctor.settings import read_settings

Classes = Callable[[str], type]
"""Finds the class that is registered under a name.

:raises ConfigurationError: there is none, or it cannot be loaded.
"""


def flow_of(production: ProductionDefinition, classes: Classes) -> FlowModel:
    """The flow of a production: each item is a service. One whose class cannot be loaded, or whose settings cannot be
    read, is in error; the others run.

    :raises ConfigurationError: two items have names that are one here.
    """
    flow = FlowModel(service_name(production.name or "production"))
    _refuse_twins(production)
    for definition in production.items:
        item = hosted_item(definition, production, classes)
        flow.add(item, service_name(definition.name), settings=_shown(item))
        flow.alerts = (*flow.alerts, *rules_of(item, told=production.item(PROCESSOR) is not None))
        if item.problem:
            flow.notes = (*flow.notes, f"{item.service} is in error, and its messages wait: {item.problem}")
    return flow


def _refuse_twins(production: ProductionDefinition) -> None:
    seen: dict[str, str] = {}
    for item in production.items:
        name = service_name(item.name)
        if (other := seen.setdefault(name, item.name)) is not item.name:
            what = f"the names of the items {other} and {item.name} are one here ({name})"
            raise ConfigurationError(what, where=production.name, fix="Rename one of them, and migrate it.")


def _shown(item: Item) -> dict[str, Any]:
    """The settings of an item that are known by name. Others, which a production may have as well, stay with it."""
    declared = declared_settings(item.component, item.adapter)
    return {name: value for name, value in flattened(item).items() if name in declared}


def hosted_item(definition: ItemDefinition, production: ProductionDefinition, classes: Classes) -> Item:
    """An item with its classes, or with what is wrong with them."""
    production = _around(definition, production)
    try:
        component = classes(definition.class_name)
        generated_settings(component)  # asks methods of the class
    except ConfigurationError as error:
        return _that_fits(Item(definition=definition, component=None, problem=str(error), production=production))
    return _that_fits(with_adapter(Item(definition=definition, component=component, production=production), classes))


def _around(definition: ItemDefinition, production: ProductionDefinition) -> ProductionDefinition:
    """What an item has to know of its production, and no more: an item for which all of that is as before goes on when
    others change."""
    told = definition.name == PROCESSOR
    usual = ProductionDefinition(name=production.name)
    return msgspec.structs.replace(
        usual,
        log_general_trace_events=production.log_general_trace_events,
        actor_pool_size=usual.actor_pool_size if definition.pool_size else production.actor_pool_size,
        items=tuple(ItemDefinition(name=one.name, class_name="") for one in production.items) if told else (),
    )


def _that_fits(item: Item) -> Item:
    """The item; where a setting of it cannot be read, one without settings that is in error."""
    try:
        check_settings(item)
    except ConfigurationError as error:
        own = item.definition
        bare = ItemDefinition(name=own.name, class_name=own.class_name, enabled=own.enabled)
        return Item(definition=bare, component=None, problem=item.problem or str(error), production=item.production)
    return item


def check_settings(item: Item) -> None:
    """Read all that is set of an item.

    :raises ConfigurationError: a setting does not fit; its schedule or its ReplyCodeActions cannot be read.
    """
    for name in KNOWN:
        known(item, name)
    check_rules(item)
    read_settings(declared_settings(item.component, item.adapter), _shown(item), item.name, in_flow=True)


def with_adapter(item: Item, classes: Classes | None) -> Item:
    """The item with its adapter, where it has one in Python."""
    try:
        adapter, problem = adapter_class(item, classes)
    except ConfigurationError as error:
        adapter, problem = None, str(error)
    return msgspec.structs.replace(item, adapter=adapter, problem=problem)
