"""The values that a production gives to a component, from their text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from junctor.dialects.iop.definition import SettingValue
from junctor.dialects.iop.settings.generated import GeneratedSetting, generated_settings
from junctor.errors import SettingError

TEXT = "%settings"
"""The setting that holds further ones, ``name=value`` in each line."""

_WORDS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


def read(declared: GeneratedSetting, text: str, item: str) -> Any:
    """The value of a setting from its text.

    :param item: the name of the item, for the error.
    :raises SettingError: the text does not fit the type.
    """
    try:
        return _WORDS[text.strip().lower()] if declared.kind is bool else declared.kind(text)
    except (KeyError, ValueError):
        words = {bool: "Give 1 or 0.", int: "Give a whole number, for example 5.", float: "Give a number."}
        raise SettingError(
            f'expected {declared.kind.__name__}, got "{text[:60]}"',
            where=f"{item}.{declared.name}",
            fix=words.get(declared.kind),
        ) from None


def lines(text: str) -> Iterator[tuple[str, str]]:
    """The settings in the text of ``%settings``: values stay text, whatever the class says of them."""
    for line in text.splitlines():
        name, sign, value = line.partition("=")
        if sign and name.strip():
            yield name.strip(), value.strip()


def applied(
    instance: Any, values: Iterable[SettingValue], item: str, *, known: Mapping[str, Any] | None = None
) -> list[str]:
    """Give an instance its settings, before any of its hooks is called: first the lines of ``%settings``, as text, then
    those of its class, in their types. An empty text sets nothing.

    :param values: those for it: of the host, or of the adapter.
    :param item: the name of the item, for errors.
    :param known: settings that the engine itself reads; the instance does not get them unless its class declares them.
    :raises SettingError: a value does not fit, or a required one is missing.
    :returns: the names of those that the class does not declare. They are set as text.
    """
    declared, given = generated_settings(type(instance)), {one.name: one.value for one in values}
    for name, value in lines(given.pop(TEXT, "")):
        _set_other(instance, name, value, item)
    others = [name for name in given if name not in declared and name not in (known or {})]
    for name, text in given.items():
        if text != "" and name in declared:
            setattr(instance, name, read(declared[name], text, item))
        elif name in others and text != "":
            _set_other(instance, name, text, item)
    for one in declared.values():
        if one.default != "" and not hasattr(instance, one.name):  # of an annotation alone
            setattr(instance, one.name, one.default)
    _check_required(instance, declared.values(), item)
    return others


def _set_other(instance: Any, name: str, text: str, item: str) -> None:
    """Set what the class does not declare; a program may read it all the same."""
    if name.startswith("_") or callable(getattr(instance, name, None)):
        raise SettingError("is no setting", where=f"{item}.{name}", fix="Correct the name, or take it out.")
    setattr(instance, name, text)


def _check_required(instance: Any, declared: Iterable[GeneratedSetting], item: str) -> None:
    for one in declared:
        if one.required and getattr(instance, one.name, None) in (None, ""):
            raise SettingError(
                "is required and has no value", where=f"{item}.{one.name}", fix="Give it in the production."
            )
