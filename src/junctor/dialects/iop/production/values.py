"""Values of settings as the text that a production holds, and the words of Python as those of IRIS."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from os import PathLike, fspath
from typing import Any

from junctor.dialects.iop.definition import SettingValue


def setting_text(value: Any) -> str:
    """The text of a value: ``1`` and ``0`` for booleans, items of a list with commas between them.

    :raises TypeError: it has no such text, for example a dictionary.
    """
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, Enum):
        return setting_text(value.value)
    if isinstance(value, PathLike):
        return str(fspath(value))
    if isinstance(value, str | int | float):
        return str(value)
    if isinstance(value, list | tuple):
        return ",".join(setting_text(one) for one in value)
    raise TypeError(f"a setting is text, a number, a boolean or a list of these, not {type(value).__name__}")


def setting_texts(settings: Mapping[str, Any] | None, where: str) -> dict[str, str]:
    """The texts of settings by name; those that are None are left out.

    :raises TypeError: there is no mapping, or a value has no text; ``where`` begins the text of the error.
    """
    if settings is not None and not isinstance(settings, Mapping):
        raise TypeError(f"{where}: settings are a dictionary of names to values, not {type(settings).__name__}")
    made = {}
    for name, value in (settings or {}).items():
        if value is None:
            continue
        try:
            made[str(name)] = setting_text(value)
        except TypeError as error:
            raise TypeError(f"{where}.{name}: {error}") from None
    return made


def setting_values(settings: Mapping[str, str], target: str) -> tuple[SettingValue, ...]:
    """Settings as parts of a definition."""
    return tuple(SettingValue(name, text, target) for name, text in settings.items())


def by_target(values: Iterable[SettingValue], target: str) -> dict[str, str]:
    """The settings of one target, by name; the last of several with one name counts."""
    return {one.name: one.value for one in values if one.target == target}


def true_or_false(value: bool) -> str:
    """A boolean attribute as IRIS writes it."""
    return "true" if value else "false"


def split_names(text: str) -> list[str]:
    """The items that the text of a target setting names; several have commas between them, as in IRIS."""
    return [part.strip() for part in text.split(",") if part.strip()]
