"""A migration: first a plan, which changes nothing, then the registry is changed at once or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple, Self

import msgspec

from junctor.dialects.iop.definition import ProductionDefinition, Registration
from junctor.dialects.iop.migration.classes import IMPORTING
from junctor.dialects.iop.migration.project import Project, note_messages, read_file
from junctor.dialects.iop.migration.registry import Registry
from junctor.dialects.iop.migration.type_names import claimed, name_in, name_types
from junctor.dialects.iop.production.validation import (
    ProductionValidationError,
    ProductionValidationIssue,
    ProductionValidationReport,
)
from junctor.flows.code.modules import changed_modules
from junctor.messages import type_name


class Migration:
    """What a settings file would register in a namespace.

    ``issues`` is what is wrong with its productions; ``text`` the plan that people read.
    """

    def __init__(self, project: Project, namespace: str | None = None, home: Path | None = None) -> None:
        """
        :raises RegistryDamaged: the registry of the namespace cannot be read.
        """
        self.project = project
        self._home = home
        registry = Registry.open(namespace, home)
        self.namespace = registry.namespace
        note_messages(project)
        self._outcome = Outcome.of(project, registry)
        self.issues = tuple(_issues(project, registry))
        self.warnings = (*project.warnings, *_replaced(project, registry))

    @property
    def text(self) -> str:
        """The plan: what is registered, and what is wrong with it."""
        project = self.project
        names, types = self._outcome.names, self._outcome.types
        classes = [_class_line(one, names.get(one.name, one.name)) for one in project.registrations.values()]
        schemas = [
            project.schema_names.get(cls) or name_in(types, cls, project.messages[cls]) for cls in project.schemas
        ]
        problems = [*(f"{production}: {issue}" for production, issue in self.issues), *self.warnings]
        parts = [
            f"Migration plan: {project.file}\nMode: LOCAL\nNamespace: {self.namespace}",
            _part("CLASSES", classes),
            _part("SCHEMAS", schemas),
            _part("PRODUCTIONS", list(project.productions)),
            _part("VALIDATION", problems),
        ]
        return "\n\n".join(parts)

    def apply(self, strict: bool = False) -> None:
        """Register it: all, or nothing where that raises.

        :param strict: what is wrong with a production is an error.
        :raises ProductionValidationError: it is strict, and something is wrong. It is a ValueError.
        :raises ConfigurationError: another process holds the registry, or it is damaged.
        :raises StoreError: the folder or disk refuses.
        """
        if strict and self.issues:
            name = self.issues[0][0]
            raise ProductionValidationError.of(
                ProductionValidationReport(
                    name, tuple(issue for production, issue in self.issues if production == name)
                )
            )
        with IMPORTING, Registry.change(self.namespace, self._home) as registry:
            Outcome.of(self.project, registry).into(registry, self.project)


def plan_migration(path: str | Path, namespace: str | None = None, home: Path | None = None) -> Migration:
    """Import a settings file, anew where its code changed, and look at what it names. Nothing is registered.

    :param namespace: ``$IOP_NAMESPACE``, ``$IRISNAMESPACE`` or USER by default.
    :param home: ``$IOP_HOME`` or ``./.junctor`` by default.
    :raises ImportFailed: the file is not there, or it, or what it imports, fails.
    :raises ShapeError: a part has the wrong shape; the text has the file and the path of the keys.
    """
    with IMPORTING, changed_modules():
        return Migration(read_file(path), namespace, home)


def _class_line(one: Registration, name: str) -> str:
    module = Path(one.module).stem if one.module.endswith(".py") else one.module
    return f"{name} -> {module}.{one.cls} (component)"


def _part(title: str, lines: list[str]) -> str:
    return "\n".join([f"{title}:", *(f"  {line}" for line in lines or ["none"])])


# What is wrong ------------------------------------------------------------------------------------------------


def _issues(project: Project, registry: Registry) -> Iterable[tuple[str, ProductionValidationIssue]]:
    for production in project.composed:
        for issue in production.validate().issues:
            yield production.name, issue
        for ref in production.items:
            if ref.class_name not in project.registrations and ref.class_name not in registry.registrations:
                message = f"no class is registered as {ref.class_name}; the item is in error until one is"
                yield production.name, ProductionValidationIssue("unknown-class", message, ref.name)


def _replaced(project: Project, registry: Registry) -> Iterable[str]:
    """Names that another project has given to classes of its own."""
    for name, one in project.registrations.items():
        known = registry.registrations.get(name)
        if known is not None and known.folder != one.folder and name not in project.automatic:
            yield f"{name}: it is registered from {known.folder}; this migration replaces it"


# Into the registry --------------------------------------------------------------------------------------------


class Outcome(NamedTuple):
    """What a namespace knows after a migration. ``names`` are registered names that became others."""

    registrations: dict[str, Registration]
    productions: dict[str, ProductionDefinition]
    types: dict[str, str]
    names: dict[str, str]

    @classmethod
    def of(cls, project: Project, registry: Registry) -> Self:
        """The registry with a project; nothing is changed."""
        names = _names_apart(project, registry)
        own = [msgspec.structs.replace(one, name=names.get(name, name)) for name, one in project.registrations.items()]
        productions = {name: _renamed(definition, names) for name, definition in project.productions.items()}
        made = cls({**registry.registrations}, {**registry.productions, **productions}, {}, names)
        made.registrations.update({one.name: one for one in own})
        before = [registry.registrations[one.name].folder for one in own if one.name in registry.registrations]
        replaced = {Path(folder) for folder in before} - set(project.folders)
        made.types.update(claimed(registry.types, project.messages, lambda folder: made.keeps(Path(folder), replaced)))
        return made

    def keeps(self, folder: Path, replaced: set[Path]) -> bool:
        """Whether a folder keeps its type names: unless its classes were replaced, and no production uses others of it.
        So the next release of a project, in a folder of its own, has the names of the one before."""
        if not any(folder.is_relative_to(place) for place in replaced):
            return True
        names = {item.class_name for production in self.productions.values() for item in production.items}
        used = [one for name, one in self.registrations.items() if name in names]
        places = [*(Path(one.folder) for one in used), *(Path(one.folder, one.module).parent for one in used)]
        return any(folder.is_relative_to(place) for place in places)

    def into(self, registry: Registry, project: Project) -> None:
        """Change the registry, and name the messages of this process as it says."""
        registry.registrations, registry.productions = self.registrations, self.productions
        registry.types = self.types
        name_types(registry.types)
        for cls, schema in project.schemas.items():
            registry.schemas[project.schema_names.get(cls) or type_name(cls)] = schema


def _names_apart(project: Project, registry: Registry) -> dict[str, str]:
    """Names that nobody chose, and under which a production of another project has classes of its own: the name of the
    folder goes before the module, ``Python.shop.bo.MyOperation``."""
    others = [one for one in registry.productions.values() if one.name not in project.productions]
    used = {name for one in others for item in one.items for name in (item.class_name, item.adapter_class_name)}
    found = {}
    for name in sorted(project.automatic & used & registry.registrations.keys()):
        folder = project.registrations[name].folder
        if registry.registrations[name].folder != folder:
            mark = "".join(letter for letter in Path(folder).name if letter.isalnum()) or "project"
            found[name] = name.replace("Python.", f"Python.{mark}.", 1)
    return found


def _renamed(definition: ProductionDefinition, names: dict[str, str]) -> ProductionDefinition:
    items = tuple(
        msgspec.structs.replace(
            item,
            class_name=names.get(item.class_name, item.class_name),
            adapter_class_name=names.get(item.adapter_class_name, item.adapter_class_name),
        )
        for item in definition.items
    )
    return msgspec.structs.replace(definition, items=items)
