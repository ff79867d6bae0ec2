"""A production as XML, and as the class of ObjectScript that holds it, for those who take it to IRIS."""

from __future__ import annotations

from xml.etree import ElementTree as xml

from junctor.dialects.iop.definition import ItemDefinition, ProductionDefinition, SettingValue
from junctor.dialects.iop.production.values import true_or_false


def to_xml(production: ProductionDefinition) -> str:
    """The XML of a production, without a declaration."""
    root = xml.Element(
        "Production",
        Name=production.name,
        TestingEnabled=true_or_false(production.testing_enabled),
        LogGeneralTraceEvents=true_or_false(production.log_general_trace_events),
    )
    xml.SubElement(root, "Description").text = production.description
    xml.SubElement(root, "ActorPoolSize").text = str(production.actor_pool_size)
    for one in production.settings:
        _setting(root, one)
    for item in production.items:
        _item(root, item)
    xml.indent(root)
    return xml.tostring(root, encoding="unicode")


def to_class(production: ProductionDefinition) -> str:
    """The class ``Extends Ens.Production`` with the XML in it."""
    body = to_xml(production)
    return f"Class {production.name} Extends Ens.Production\n{{\n\nXData ProductionDefinition\n{{\n{body}\n}}\n\n}}\n"


def _item(root: xml.Element, item: ItemDefinition) -> None:
    element = xml.SubElement(
        root,
        "Item",
        Name=item.name,
        Category=item.category,
        ClassName=item.class_name,
        PoolSize=str(item.pool_size),
        Enabled=true_or_false(item.enabled),
        Foreground=true_or_false(item.foreground),
        Comment=item.comment,
        LogTraceEvents=true_or_false(item.log_trace_events),
        Schedule=item.schedule,
    )
    for one in item.settings:
        _setting(element, one)


def _setting(parent: xml.Element, one: SettingValue) -> None:
    xml.SubElement(parent, "Setting", Target=one.target, Name=one.name).text = one.value
