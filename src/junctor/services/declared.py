"""What a class, or a module, declares: its settings and targets, with their types."""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterator
from typing import Any

from junctor.core.spec import TargetSpec
from junctor.errors import ConfigurationError
from junctor.services.hints import class_annotations, own_annotations, resolve, resolve_in_class
from junctor.services.target import target_spec
from junctor.settings import Setting


def raw_settings(cls: type) -> dict[str, tuple[Setting, Any]]:
    """The settings of a class and its bases, with their annotations as written."""
    annotations = class_annotations(cls)
    found: dict[str, tuple[Setting, Any]] = {}
    for base in reversed(cls.__mro__):
        for name, value in vars(base).items():
            if isinstance(value, Setting):
                found[name] = (value, annotations[name][0] if name in annotations else None)
            else:
                found.pop(name, None)
    return found


def declared_settings(cls: type) -> dict[str, tuple[Setting, Any]]:
    """The settings of a class with their types.

    :raises ConfigurationError: one has no annotation, or one that cannot be read.
    """
    annotations = class_annotations(cls)
    found = {}
    for name, (setting, _) in raw_settings(cls).items():
        where = f"{cls.__name__}.{name}"
        if name not in annotations:
            raise _untyped(where, name)
        written, owner = annotations[name]
        try:
            found[name] = (setting, resolve_in_class(written, owner))
        except (NameError, SyntaxError, TypeError, AttributeError) as error:
            raise _unreadable(where, written, error) from error
    return found


def declared_targets(cls: type) -> dict[str, TargetSpec]:
    """The targets of a class and its bases.

    :raises ConfigurationError: the annotation of one cannot be read.
    """
    found = {}
    for name, (written, owner) in class_annotations(cls).items():
        try:
            hint = resolve_in_class(written, owner)
        except (NameError, SyntaxError, TypeError, AttributeError) as error:
            # Only a target's type matters here; other attributes may name what exists for type checkers alone.
            if "Target" in str(written):
                raise _unreadable(f"{cls.__name__}.{name}", written, error) from error
            continue
        spec = target_spec(name, hint)
        if spec is not None:
            found[name] = spec
    return found


def other_attributes(cls: type) -> dict[str, str]:
    """Annotated attributes that are not settings, each with what to do instead of giving it to the constructor."""
    others = {}
    for name, (written, _) in class_annotations(cls).items():
        if "Target" in str(written):
            others[name] = f'It is a target; connect it in the flow: connect={{"{name}": "SERVICE"}}.'
        elif not isinstance(inspect.getattr_static(cls, name, None), Setting):
            others[name] = f"To make this attribute one, declare it with setting(): {name}: ... = setting(...)."
    return others


def module_settings(module: types.ModuleType) -> Iterator[tuple[str, Setting, Any]]:
    """The settings of a module: name, declaration, type."""
    annotations = own_annotations(module)
    for name, value in vars(module).items():
        if isinstance(value, Setting):
            if name not in annotations:
                raise _untyped(f"{module.__name__}.{name}", name)
            value.name = name
            yield name, value, resolve(annotations[name], vars(module), {})


def module_targets(module: types.ModuleType) -> Iterator[TargetSpec]:
    """The targets of a module."""
    for name, written in own_annotations(module).items():
        try:
            hint = resolve(written, vars(module), {})
        except (NameError, SyntaxError, TypeError, AttributeError) as error:
            if "Target" in str(written):
                raise _unreadable(f"{module.__name__}.{name}", written, error) from error
            continue
        spec = target_spec(name, hint)
        if spec is not None:
            yield spec


def _untyped(where: str, name: str) -> ConfigurationError:
    return ConfigurationError(
        "the setting has no type", where=where, fix=f"Write for example {name}: float = setting(...)."
    )


def _unreadable(where: str, written: Any, error: Exception) -> ConfigurationError:
    return ConfigurationError(
        f"the annotation {written!r} cannot be read: {error}",
        where=where,
        fix="Define the type in the module, or import it outside `if TYPE_CHECKING:`.",
    )
