"""Settings files, and what a namespace knows of them.

The names are loaded when they are first used: a command that only asks a node needs none of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from junctor.dialects.iop.migration.functions import (
        Utils,
        bind_component,
        explain_migration,
        export_production,
        list_bindings,
        migrate,
        raise_on_error,
        register_component,
        register_file,
        register_folder,
        register_message_schema,
        register_package,
        register_production,
        register_schema,
        set_classes_settings,
        set_productions_settings,
        setup,
        stream_to_string,
        string_to_stream,
        unbind_component,
        unregister_component,
    )
    from junctor.dialects.iop.migration.migration import Migration, plan_migration
    from junctor.dialects.iop.migration.project import Project, read_file, read_module
    from junctor.dialects.iop.migration.registry import Registry, RegistryDamaged

__all__ = (
    "Migration",
    "Project",
    "Registry",
    "RegistryDamaged",
    "Utils",
    "bind_component",
    "explain_migration",
    "export_production",
    "list_bindings",
    "migrate",
    "plan_migration",
    "raise_on_error",
    "read_file",
    "read_module",
    "register_component",
    "register_file",
    "register_folder",
    "register_message_schema",
    "register_package",
    "register_production",
    "register_schema",
    "set_classes_settings",
    "set_productions_settings",
    "setup",
    "stream_to_string",
    "string_to_stream",
    "unbind_component",
    "unregister_component",
)

_MODULES = ("registry", "functions", "migration", "project")


def __getattr__(name: str) -> Any:
    for module in _MODULES if name in __all__ else ():
        found = import_module(f"{__name__}.{module}")
        if hasattr(found, name):
            globals()[name] = getattr(found, name)
            return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
