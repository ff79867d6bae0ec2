"""Connections of a production: a target setting of an item holds the names of those that it leads to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from junctor.dialects.iop.production.component import ComponentRef
from junctor.dialects.iop.production.declared_settings import interactions, sendings, target_names
from junctor.dialects.iop.production.graph import GraphEdge
from junctor.dialects.iop.production.items import ComponentItem
from junctor.dialects.iop.production.values import split_names
from junctor.dialects.iop.settings import TargetSettingRef
from junctor.errors import nearest

if TYPE_CHECKING:
    from junctor.dialects.iop.production.composition import Composition

MODES = ("replace", "add", "remove")


def connect(production: Composition, source: TargetSettingRef | str, target: Any, mode: str) -> None:
    """Change what a target setting leads to; see :meth:`Production.connect`."""
    if mode not in MODES:
        raise ValueError(f"mode is one of {', '.join(MODES)}, not {mode!r}")
    ref, setting = source_of(production, source)
    known = target_names(ref.component)
    if ref.component is not None and setting not in known:
        what = f"{ref.component.__qualname__} of {ref.name} has no target setting {setting}"
        raise ValueError(f"{what}. {nearest(setting, known)}".rstrip())
    names = [name_of(production, one) for one in _several(target)]
    ref.other_setting("Host", setting, ",".join(_changed(split_names(ref.host_settings.get(setting, "")), names, mode)))
    if setting not in ref.routes:
        ref.routes.append(setting)


def _changed(before: list[str], names: list[str], mode: str) -> list[str]:
    if mode == "remove":
        return [name for name in before if name not in names]
    return list(dict.fromkeys([*before, *names] if mode == "add" else names))


def _several(target: Any) -> Iterable[Any]:
    if isinstance(target, str | ComponentRef | ComponentItem):
        return (target,)
    if isinstance(target, TargetSettingRef) or not isinstance(target, Iterable):
        raise TypeError(f"a connection leads to an item, its name, or several of them, not to {type(target).__name__}")
    return tuple(target)


def source_of(production: Composition, source: TargetSettingRef | str) -> tuple[ComponentRef, str]:
    """The item and the name of a target setting.

    :raises ValueError: there is no such item, or no setting is named.
    """
    item, dot, setting = str(source).rpartition(".")
    if not dot:
        raise ValueError(f'{str(source)!r} names no target setting: write ref.Output or "Item.Output"')
    return production.item(item), setting


def name_of(production: Composition, target: Any) -> str:
    """The name of what a connection may lead to; whether the production has it is not asked.

    :raises ValueError: it is an item of another production.
    """
    if isinstance(target, ComponentRef):
        if target.production is not production:
            raise ValueError(f"{target.name} is an item of another production, {target.production.name}")
        return target.name
    if isinstance(target, ComponentItem):
        return target.title
    if isinstance(target, str):
        return target
    raise TypeError(f"an item is named by its name, or is what .service() and the like return, not {target!r}")


def edges(production: Composition) -> tuple[GraphEdge, ...]:
    """All connections of a production."""
    return tuple(edge for ref in production.items for edge in _edges_of(production, ref))


def _edges_of(production: Composition, ref: ComponentRef) -> Iterable[GraphEdge]:
    how = interactions(ref.component)
    for setting, text in ref.host_settings.items():
        for name in split_names(text) if leads(production, ref, setting) else ():
            yield GraphEdge(ref.name, name, setting, "authored", how.get(setting, "request"))


def edges_in_code(production: Composition) -> tuple[GraphEdge, ...]:
    """What the code of the classes sends to names that are written there, or that plain attributes hold."""
    return tuple(dict.fromkeys(edge for ref in production.items for edge in _in_code(ref)))


def _in_code(ref: ComponentRef) -> Iterable[GraphEdge]:
    for one in sendings(ref.component) if ref.component is not None else ():
        if one.attribute in target_names(ref.component):
            continue
        target = one.target or ref.host_settings.get(one.attribute) or getattr(ref.component, one.attribute, None)
        if isinstance(target, str) and target:
            yield GraphEdge(ref.name, target, one.attribute, "code", one.interaction)


def leads(production: Composition, ref: ComponentRef, setting: str) -> bool:
    """Whether a setting holds names of items: its class says so, or it was connected; of a class that is only a name,
    whether all that the setting names are items."""
    if setting in ref.routes or setting in target_names(ref.component):
        return True
    known = {one.name for one in production.items}
    names = split_names(ref.host_settings.get(setting, ""))
    return ref.component is None and bool(names) and known.issuperset(names)
