"""A production as Python code that composes it again."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from junctor.dialects.iop.definition import ItemDefinition, ProductionDefinition, SettingValue
from junctor.dialects.iop.production.values import split_names

_ITEM = ItemDefinition(name="", class_name="")
_PRODUCTION = ProductionDefinition(name="")
_OPTIONS = ("adapter_class_name", "enabled", "pool_size", "category", "foreground", "comment", "log_trace_events")
_WIDTH = 110


def to_python(
    production: ProductionDefinition, kind: Callable[[str], str], leads: Callable[[str, SettingValue], bool]
) -> str:
    """Code whose ``prod.to_definition()`` equals the production. It names classes as they are registered, and so
    runs wherever they are.

    :param kind: the kind of an item, by its name.
    :param leads: whether a setting of an item is a connection.
    """
    lines = [f"from {_package()} import Production", "", _made(production)]
    lines += [f"prod.setting({_words(one)})" for one in production.settings]
    for item in production.items:
        lines += ["", *_item(item, kind(item.name), leads)]
    return "\n".join([*lines, "", "PRODUCTIONS = [prod]", ""])


def _package() -> str:
    """The package of that name where it is installed, so that the code runs on IRIS as well."""
    return "iop" if find_spec("iop") is not None else "junctor.dialects.iop"


def _made(production: ProductionDefinition) -> str:
    words = ("testing_enabled", "log_general_trace_events", "actor_pool_size", "description")
    return f"prod = {_call('Production', production, _PRODUCTION, words, [repr(production.name)])}"


def _item(item: ItemDefinition, kind: str, leads: Callable[[str, SettingValue], bool]) -> list[str]:
    first = [repr(item.name), f"class_name={item.class_name!r}"]
    call = _call(f"prod.{kind}", item, _ITEM, (*_OPTIONS, "schedule"), first)
    if not item.settings:
        return call.split("\n")
    chain = "".join(_set(one, leads(item.name, one)) for one in item.settings)
    if "\n" not in call and len(call + chain) <= _WIDTH:
        return [call + chain]
    inside = [*call.split("\n"), *(_set(one, leads(item.name, one)) for one in item.settings)]
    return ["(", *(f"    {line}" for line in inside), ")"]


def _set(one: SettingValue, leads: bool) -> str:
    names = split_names(one.value)
    if leads and one.target == "Host" and names and ",".join(dict.fromkeys(names)) == one.value:
        return f".connect({one.name!r}, {names[0]!r})" if len(names) == 1 else f".connect({one.name!r}, {names!r})"
    method = {"Host": "host_setting", "Adapter": "adapter_setting"}.get(one.target)
    if method is None:
        return f".other_setting({one.target!r}, {one.name!r}, {one.value!r})"
    return f".{method}({one.name!r}, {one.value!r})"


def _words(one: SettingValue) -> str:
    target = "" if one.target == "Host" else f", target={one.target!r}"
    return f"{one.name!r}, {one.value!r}{target}"


def _call(name: str, made: Any, plain: Any, words: tuple[str, ...], first: list[str]) -> str:
    """A call with those arguments that differ from their defaults; on several lines where one is too short."""
    given = first + [f"{word}={getattr(made, word)!r}" for word in words if getattr(made, word) != getattr(plain, word)]
    line = f"{name}({', '.join(given)})"
    if len(line) <= _WIDTH:
        return line
    return "\n".join([f"{name}(", *(f"    {one}," for one in given), ")"])
