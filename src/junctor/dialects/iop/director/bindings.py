"""The registered classes of a namespace, and who uses them."""

from __future__ import annotations

import ast
import contextlib
from pathlib import Path
from typing import Any

from junctor.dialects.iop.definition import Registration
from junctor.dialects.iop.director.place import Namespace
from junctor.dialects.iop.migration.registry import Registry
from junctor.errors import ConfigurationError, JunctorError, nearest


class ClassInUse(JunctorError):
    """A registered class cannot be forgotten: an item of a production uses it."""

    code = "iop-class-in-use"
    default_fix = "Take the item out of the production, and migrate that first."
    status = 409


def bindings(place: Namespace, unused_only: bool = False) -> list[dict[str, Any]]:
    """The registered classes by name, each with the items that use it. Nothing is imported for it."""
    registry = place.registry()
    found = [_binding(registry, one) for _, one in sorted(registry.registrations.items())]
    return [one for one in found if not (unused_only and one["used"])]


def _binding(registry: Registry, one: Registration) -> dict[str, Any]:
    used = _users(registry, one.name)
    return {
        "class": one.name,
        "super": _base(one),
        "module": one.module,
        "classname": one.cls,
        "classpaths": [one.folder],
        "used": bool(used),
        "used_by": used,
    }


def _users(registry: Registry, name: str) -> list[dict[str, str]]:
    return [
        {"production": production.name, "item": item.name}
        for production in registry.productions.values()
        for item in production.items
        if name in (item.class_name, item.adapter_class_name)
    ]


def _base(one: Registration) -> str:
    """The first base of the class as its source says it, empty where that is not found."""
    place = Path(one.folder, *one.module.split("."))
    for file in (place.with_suffix(".py"), place / "__init__.py", Path(one.folder, one.module)):
        with contextlib.suppress(OSError, SyntaxError, UnicodeDecodeError):
            for node in ast.parse(file.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ClassDef) and node.name == one.cls and node.bases:
                    return ast.unparse(node.bases[0])
    return ""


def unbind(place: Namespace, name: str) -> None:
    """Forget a registered class.

    :raises ConfigurationError: it is not registered.
    :raises ClassInUse: an item uses it.
    """
    with Registry.change(place.name, place.home) as registry:
        if name not in registry.registrations:
            fix = nearest(name, registry.registrations).rstrip() or None
            raise ConfigurationError(f"no class is registered as {name}", where=f"namespace {place.name}", fix=fix)
        users = _users(registry, name)
        if users:
            listed = ", ".join(f"{one['item']} of {one['production']}" for one in users)
            raise ClassInUse(f"{name} is used by {listed}", where=f"namespace {place.name}")
        del registry.registrations[name]
