"""The dialect as flows see it: its classes and items as services, its productions as flows."""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Any

import msgspec

from junctor.core.policy import Policies
from junctor.core.spec import ServiceSpec, service_name
from junctor.dialects.iop.definition import ItemDefinition
from junctor.dialects.iop.director import operations
from junctor.dialects.iop.genuine import refuse_genuine
from junctor.dialects.iop.hosting.composed import flow_of_registered, flow_of_settings
from junctor.dialects.iop.hosting.flow import with_adapter
from junctor.dialects.iop.hosting.item import Item
from junctor.dialects.iop.hosting.policies import policies_of
from junctor.dialects.iop.hosting.spec import item_spec
from junctor.dialects.iop.hosting.values import declared_settings, with_settings
from junctor.flows.model import FlowModel
from junctor.settings import Setting, read_settings

__all__ = ("DIALECT", "Iop", "operations")


class Iop:
    """See :class:`~junctor.flows.dialects.Dialect`. A source is a class of the dialect, or an item of a production."""

    def default_name(self, source: Any) -> str:
        """``python-myoperation`` for the class ``MyOperation``: programs register it as ``Python.MyOperation``."""
        return source.service if isinstance(source, Item) else service_name(registered_name(source))

    def component(self, source: Any) -> type | None:
        """The class of an item; None where it could not be loaded."""
        return source.component if isinstance(source, Item) else source

    def policies(self, source: Any) -> Policies:
        """As the settings of the item say, or those of the class."""
        return policies_of(_item(source))

    def settings(self, source: Any) -> Mapping[str, tuple[Setting, Any]]:
        """What InterSystems IRIS has for every item, what the class declares, and its adapter."""
        item = _item(source)
        return declared_settings(item.component, item.adapter)

    def spec(
        self, source: Any, name: str, *, settings: Mapping[str, Any], places: Mapping[str, str] | None
    ) -> ServiceSpec:
        """The spec of an item, with these settings over its own."""
        item = _item(source, name)
        declared = declared_settings(item.component, item.adapter)
        read = read_settings(declared, settings, name, places=places, in_flow=True)
        given = {key: value for key, value in read.items() if key in settings}
        definition = with_settings(item.definition, given, item.component)
        return item_spec(msgspec.structs.replace(item, definition=definition))

    def flow(self, module: types.ModuleType) -> FlowModel | None:
        """The flow of a settings file: of its production, or of its classes."""
        return flow_of_settings(module)

    def load(self, text: str) -> FlowModel:
        """The flow of a production that was migrated, by its name.

        :raises ConfigurationError: there is none.
        """
        refuse_genuine()
        return flow_of_registered(text)


def registered_name(cls: type) -> str:
    """The name under which a class is known that no settings file names."""
    return f"Python.{cls.__name__}"


def _item(source: Any, name: str = "") -> Item:
    """The source as an item; a class alone has no production, and the name of its service."""
    if isinstance(source, Item):
        return source
    definition = ItemDefinition(name=name or registered_name(source), class_name=registered_name(source))
    return with_adapter(Item(definition=definition, component=source), None)


DIALECT = Iop()
