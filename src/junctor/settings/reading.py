"""All settings of a service from what was given for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from junctor.errors import ConfigurationError, SettingError, SeveralProblems, nearest
from junctor.settings.declaration import Setting, missing
from junctor.settings.values import MISSING, UNSET
from junctor.settings.written import is_nothing


def read_settings(
    declared: Mapping[str, tuple[Setting, Any]],
    given: Mapping[str, Any],
    service: str,
    *,
    others: Mapping[str, str] | None = None,
    places: Mapping[str, str] | None = None,
    in_flow: bool = False,
) -> dict[str, Any]:
    """All settings of a service: given values and defaults, converted and checked.

    :param declared: name to declaration and type.
    :param given: a setting that is :data:`~junctor.settings.values.UNSET` has no value in what is returned.
    :param service: the name shown in errors.
    :param others: attributes of the class that are not settings, each with what to do instead.
    :param places: where a value was written, for example ``flow.yaml:12``, by setting.
    :param in_flow: ``service`` is a name in a flow, so that the command line can give what is missing.
    :raises SettingError: one is unknown, missing or wrong; several come as one
        :class:`~junctor.errors.SeveralProblems`.
    """
    places = places or {}

    def where(name: str) -> str:
        return f"{service}.{name} ({places[name]})" if name in places else f"{service}.{name}"

    problems: list[ConfigurationError] = [
        _unknown(where(name), name, declared, others or {}) for name in given if name not in declared
    ]
    values: dict[str, Any] = {}
    for name, (setting, kind) in declared.items():
        value = given.get(name, setting.default)
        if value is UNSET:
            continue
        try:
            if value is MISSING:
                raise missing(where(name), name, f"--set {service}.{name}=..., or in the code " if in_flow else "")
            # None as a default stands for "not given", whatever the type.
            nothing = is_nothing(value) and setting.default is None
            values[name] = None if nothing else setting.read(value, kind, where(name))
        except SettingError as error:
            problems.append(error)
    if problems:
        raise SeveralProblems.of(problems, service)
    return values


def _unknown(where: str, name: str, declared: Iterable[str], others: Mapping[str, str]) -> SettingError:
    if name in others:
        return SettingError("is not a setting", where=where, fix=others[name])
    return SettingError("there is no such setting", where=where, fix=nearest(name, declared).strip() or "Leave it out.")
