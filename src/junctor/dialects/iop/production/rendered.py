"""A production in other forms, and made from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Self, cast

from junctor.dialects.iop.definition import ItemDefinition, ProductionDefinition, SettingValue
from junctor.dialects.iop.production import markup, mermaid, source
from junctor.dialects.iop.production.attributes import PLAIN
from junctor.dialects.iop.production.component import ComponentRef
from junctor.dialects.iop.production.composition import Composition
from junctor.dialects.iop.production.connections import edges_in_code, leads
from junctor.dialects.iop.production.difference import ProductionDiff, difference
from junctor.dialects.iop.production.graph import GraphEdge, GraphNode, ProductionGraph
from junctor.dialects.iop.production.kinds import UNKNOWN, checked_kind, kind_of
from junctor.dialects.iop.production.shape import from_shape, to_shape
from junctor.dialects.iop.production.validation import ProductionValidationReport, validated
from junctor.errors import JunctorError

if TYPE_CHECKING:
    from junctor.dialects.iop.production.production import Production


class Rendered(Composition):
    """The part of a :class:`Production` that is about its forms."""

    def _begin(self) -> None:
        super()._begin()
        self._queue_info: Mapping[str, Any] | None = None

    # Checked ------------------------------------------------------------------------------------------------------

    def validate(self, strict: bool = False) -> ProductionValidationReport:
        """Look for what is wrong: targets that lead nowhere, settings of a wrong type or of no class, pool sizes.

        :param strict: raise where something is.
        :raises ProductionValidationError: it is strict, and something is wrong. It is a ValueError.
        """
        report = validated(self)
        if strict:
            report.raise_for_issues()
        return report

    def diff(self, other: Any = None) -> ProductionDiff:
        """How it differs from another production, or from what is registered under its name; all of it is new where
        nothing is.

        :param other: a :class:`Production`, or its definition.
        """
        if other is None:
            other = self._registered() or ProductionDefinition(name=self.name)
        before = other if isinstance(other, ProductionDefinition) else other.to_definition()
        return difference(self.to_definition(), before)

    def _registered(self) -> ProductionDefinition | None:
        from junctor.dialects.iop.migration.registry import Registry

        return Registry.open(self.namespace).productions.get(self.name)

    # Other forms --------------------------------------------------------------------------------------------------

    def to_definition(self) -> ProductionDefinition:
        """The production as data."""
        return ProductionDefinition(
            name=self.name,
            settings=self.production_settings(),
            items=tuple(ref.to_definition() for ref in self.items),
            **self.plain_attributes(),
        )

    def to_dict(self) -> dict[str, Any]:
        """The dictionary in the shape of its XML, as in PRODUCTIONS of a settings file."""
        return to_shape(self.to_definition())

    def to_xml(self) -> str:
        """The XML of IRIS."""
        return markup.to_xml(self.to_definition())

    def to_class(self) -> str:
        """The class of ObjectScript that holds the XML."""
        return markup.to_class(self.to_definition())

    def to_python(self) -> str:
        """Code that composes it again, with the classes by their registered names."""
        return source.to_python(self.to_definition(), lambda name: self.item(name).kind, self._leads)

    def _leads(self, item: str, setting: SettingValue) -> bool:
        return leads(self, self.item(item), setting.name)

    def to_mermaid(self, direction: str = "LR") -> str:
        """A flowchart for Mermaid.

        :param direction: "LR", "RL", "TB", "TD" or "BT".
        """
        return mermaid.to_mermaid(self.graph(), direction)

    def graph(self) -> ProductionGraph:
        """Its items, its connections, and what the code of its classes sends to names written there."""
        nodes = tuple(
            GraphNode(ref.name, ref.class_name, ref.kind, ref.enabled, ref.category, ref.adapter_class_name)
            for ref in self.items
        )
        edges = (*self.edges, *edges_in_code(self))
        known = {node.name for node in nodes}
        missing = dict.fromkeys(edge for edge in edges if edge.target not in known)
        warnings = tuple(f"{_source(edge)} leads to {edge.target}, which is no item" for edge in missing)
        return ProductionGraph(self.name, nodes, edges, warnings)

    # Made from them -----------------------------------------------------------------------------------------------

    @classmethod
    def from_definition(
        cls, definition: ProductionDefinition, classes: Callable[[str], type] | None = None, **options: Any
    ) -> Self:
        """The production of a definition.

        :param classes: gives the class of a registered name, such as ``Registry.component``; an item whose class it
            refuses stays without.
        :param options: ``namespace`` and ``director``.
        """
        made = cls(definition.name, **{word: getattr(definition, word) for word in PLAIN}, **options)
        made._items.clear()
        made._read_settings(definition.settings)
        for item in definition.items:
            made._take(item, classes)
        return made

    def _take(self, item: ItemDefinition, classes: Callable[[str], type] | None) -> None:
        component = _loaded(item.class_name, classes)
        ref = ComponentRef(cast("Production", self), item, UNKNOWN if component is None else kind_of(component))
        ref.component = component
        self._put(ref)

    @classmethod
    def from_dict(
        cls,
        data: Mapping[str, Any],
        connections: Mapping[str, Any] | None = None,
        queue_info: Mapping[str, Any] | None = None,
        namespace: str | None = None,
        director: Any = None,
    ) -> Self:
        """The production in a dictionary of the shape of its XML, ``{"Demo.Production": {"Item": [...]}}``.

        :param connections: taken as IRIS exports them, and not used: a connection is a setting here.
        :param queue_info: what :meth:`queue` returns until it asks again.
        :raises ShapeError: a part has the wrong shape; the text has the path of its keys. It is a ValueError.
        """
        reading = from_shape(data)
        made = cls.from_definition(reading.definition, namespace=namespace, director=director)
        made._queue_info = queue_info
        for name, (given, place) in reading.classes.items():
            if not isinstance(given, type):
                raise place.error("a class as a dictionary needs a settings file", "Give the class itself or its name.")
            made.item(name).component = given
            made.item(name).kind = checked_kind(given, UNKNOWN)
        return made

    @classmethod
    def from_iris(cls, name: str, namespace: str | None = None, director: Any = None) -> Self:
        """The production that is registered under a name, with its classes where they can be loaded.

        :raises ConfigurationError: there is none.
        """
        from junctor.dialects.iop.migration.registry import Registry

        registry = Registry.open(namespace)
        definition = registry.production(name)
        return cls.from_definition(definition, registry.component, namespace=namespace, director=director)


def _source(edge: GraphEdge) -> str:
    return f"{edge.source_item}.{edge.source_target_setting}" if edge.source_target_setting else edge.source_item


def _loaded(name: str, classes: Callable[[str], type] | None) -> type | None:
    """The class of a name, None where it cannot be had or is no component."""
    if classes is None:
        return None
    try:
        found = classes(name)
        kind_of(found)
    except (JunctorError, TypeError):
        return None
    return found
