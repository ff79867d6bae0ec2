"""What a module or a namespace composes, as a flow: a settings file, a production that was migrated."""

from __future__ import annotations

import types
from pathlib import Path

from junctor.dialects.iop.components import BusinessHost
from junctor.dialects.iop.definition import ItemDefinition, ProductionDefinition
from junctor.dialects.iop.hosting.flow import Classes, flow_of
from junctor.dialects.iop.migration import Project, Registry, read_module
from junctor.dialects.iop.migration.project import project_of
from junctor.dialects.iop.production import Production
from junctor.errors import ConfigurationError
from junctor.flows.model import FlowModel

NAMES = ("CLASSES", "PRODUCTIONS")
"""What makes a module a settings file that can run."""


def flow_of_settings(module: types.ModuleType) -> FlowModel | None:
    """The flow of a settings file: of its production, or of its classes where it has none. A module with a single
    :class:`Production` is one as well; None for any other module.

    :raises ConfigurationError: it has several productions, or something in it is wrong.
    """
    if any(hasattr(module, name) for name in NAMES):
        project = read_module(module)
    else:
        made = {id(value): value for value in vars(module).values() if isinstance(value, Production)}
        if len(made) != 1:
            return None
        project = project_of(next(iter(made.values())), Path(str(module.__file__)).resolve().parent)
    flow = flow_of(_production(project, module), _classes(project))
    flow.notes = (*flow.notes, *project.warnings)
    return flow


def flow_of_registered(name: str, namespace: str | None = None, home: Path | None = None) -> FlowModel:
    """The flow of a production that was migrated.

    :raises ConfigurationError: there is none of this name.
    """
    registry = Registry.open(namespace, home)
    return flow_of(registry.production(name), registry.component)


def _production(project: Project, module: types.ModuleType) -> ProductionDefinition:
    if len(project.productions) > 1:
        names = ", ".join(f"junctor run iop:{name}" for name in project.productions)
        what = f"there are several productions: {', '.join(project.productions)}"
        raise ConfigurationError(what, where=project.file, fix=f"Migrate the file, and run one of them: {names}.")
    for definition in project.productions.values():
        return definition
    hosts = [name for name, cls in project.classes.items() if issubclass(cls, BusinessHost)]
    if not hosts:
        fix = 'Write PRODUCTIONS = [{"Demo.Production": {"Item": [...]}}] into it.'
        raise ConfigurationError("it has neither a production nor a component", where=project.file, fix=fix)
    items = tuple(ItemDefinition(name=name, class_name=name) for name in hosts)
    return ProductionDefinition(name=module.__name__.rpartition(".")[2], items=items)


def _classes(project: Project) -> Classes:
    """The classes of the file, then those of the namespace: another settings file may have registered them."""

    def find(name: str) -> type:
        try:
            return project.component(name)
        except ConfigurationError:
            registry = Registry.open()
            if name in registry.registrations:
                return registry.component(name)
            raise

    return find
