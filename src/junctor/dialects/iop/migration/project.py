"""A settings file, read: the classes, schemas and productions that it names."""

from __future__ import annotations

import difflib
import sys
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from junctor.dialects.iop.definition import ProductionDefinition, Registration
from junctor.dialects.iop.migration.bindings import Binding, bound_class, bound_classes, single_class
from junctor.dialects.iop.migration.schemas import json_schema, read_schemas
from junctor.dialects.iop.migration.type_names import messages_below, name_apart, root_of
from junctor.dialects.iop.production import Production
from junctor.dialects.iop.production.kinds import automatic_name
from junctor.dialects.iop.production.reading import Place, Reading
from junctor.dialects.iop.production.shape import productions_from
from junctor.errors import ConfigurationError, ImportFailed, nearest, text_of
from junctor.flows.code.imports import import_place
from junctor.messages import type_name
from junctor.observe.frames import short_path

ATTRIBUTES = ("CLASSES", "SCHEMAS", "PRODUCTIONS")
"""What a settings file has, any of them."""

REMOTE = "REMOTE_SETTINGS"


@dataclass
class Project:
    """What a settings file names.

    ``automatic`` are the registered names that nobody chose, ``schema_names`` names of schemas that are not those of
    their messages. ``messages`` are all of its code, each with the folder that its imports begin in. ``composed`` are
    the productions as they can be validated; ``warnings`` what was strange and could be read all the same.
    ``own_folders`` says that the imports of a class begin where those of its module did, and not in ``folder``.
    """

    file: str
    folder: Path
    classes: dict[str, type] = field(default_factory=dict)
    registrations: dict[str, Registration] = field(default_factory=dict)
    automatic: set[str] = field(default_factory=set)
    schemas: dict[type, dict[str, Any]] = field(default_factory=dict)
    schema_names: dict[type, str] = field(default_factory=dict)
    messages: dict[type, Path] = field(default_factory=dict)
    productions: dict[str, ProductionDefinition] = field(default_factory=dict)
    composed: list[Production] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    own_folders: bool = False

    @property
    def folders(self) -> list[Path]:
        """Where the imports of its code begin, that of the settings file first."""
        return list(dict.fromkeys([self.folder, *(Path(one.folder) for one in self.registrations.values())]))

    def component(self, name: str) -> type:
        """The class that the file registers under a name.

        :raises ConfigurationError: it registers none.
        """
        if name not in self.classes:
            fix = f"{nearest(name, self.classes)}Add it to CLASSES."
            raise ConfigurationError(f"no class is registered as {name}", where=self.file, fix=fix)
        return self.classes[name]

    def add(self, binding: Binding, place: Place) -> None:
        """Take a class in.

        :raises ShapeError: another one has the name, or it cannot be a name.
        """
        place.check_shown(binding.name)
        known = self.classes.setdefault(binding.name, binding.cls)
        if known is not binding.cls:
            raise place.error(f"{binding.name} is {known.__qualname__} already", "Give one of them another name.")
        self.registrations[binding.name] = binding.registration

    def add_production(self, definition: ProductionDefinition, composed: Production, place: Place) -> None:
        """Take a production in.

        :raises ShapeError: another one has the name, or it, or that of an item, cannot be a name.
        """
        place.check_name(definition.name)
        for item in definition.items:
            place.check_name(item.name)
        if definition.name in self.productions:
            raise place.error(f"there are two productions {definition.name}", "Give one of them another name.")
        self.productions[definition.name] = definition
        self.composed.append(composed)


def read_file(path: str | Path) -> Project:
    """Import a settings file, and read what it names. Its imports begin in its folder.

    :raises ImportFailed: it is not there, or it, or what it imports, fails.
    :raises ShapeError: a part has the wrong shape; the text has the file and the path of the keys.
    """
    file = Path(path).expanduser()
    if file.is_dir():
        found = next((name for name in ("settings.py", "setting.py") if (file / name).is_file()), "settings.py")
        raise ImportFailed("it is a folder", where=str(path), fix=f"Name the settings file: {file / found}.")
    if not file.is_file():
        near = nearest(file.name, [other.name for other in file.parent.glob("*.py")]).strip()
        raise ImportFailed("there is no such file", where=str(path), fix=near or "Check the path.")
    if file.suffix != ".py":
        raise ImportFailed("it is not a Python file", where=str(path), fix="Name a file that ends with .py.")
    place = file.absolute()
    return read_module(import_place(place.name, place.parent.resolve()), str(path))


def read_module(module: types.ModuleType, file: str = "") -> Project:
    """What a settings file that is imported already names.

    :param file: how errors call it.
    :raises ShapeError: as :func:`read_file`.
    """
    path = Path(str(module.__file__)).resolve()
    project = Project(file or short_path(str(path)), path.parent)
    if not any(hasattr(module, name) for name in (*ATTRIBUTES, REMOTE)):
        raise ConfigurationError(
            f"the file has none of {', '.join(ATTRIBUTES)}", where=project.file, fix=_rename(module)
        )
    add_classes(project, getattr(module, "CLASSES", None), path)
    add_productions(project, getattr(module, "PRODUCTIONS", None))
    add_schemas(project, getattr(module, "SCHEMAS", None))
    note_messages(project)
    name_apart(project.messages)
    if hasattr(module, REMOTE):
        project.warnings.append(
            f"{REMOTE}: migration to another machine is not offered yet; the namespace of this machine is migrated"
        )
    return project


def note_messages(project: Project) -> None:
    """Take in the messages of what was imported for a project: which modules there are changes with time."""
    project.messages = messages_below(project.folders)
    for cls in project.schemas:
        project.messages.setdefault(cls, _folder_of(cls))


def _rename(module: types.ModuleType) -> str:
    """What to do with a file that names nothing; perhaps a name is misspelt."""
    names = [name for name, value in vars(module).items() if isinstance(value, list | dict) and name[:1] != "_"]
    for name in names:
        if close := difflib.get_close_matches(name.upper(), ATTRIBUTES, n=1):
            return f"Rename {name} to {close[0]}."
    return 'Write CLASSES = {"Python.MyOperation": MyOperation} into it.'


def project_of(production: Production, folder: Path | None = None) -> Project:
    """One production with its classes, as a settings file would name it.

    :param folder: where the imports of its classes begin; where those of their modules did by default.
    :raises ShapeError: a class cannot be registered.
    """
    classes = production.component_registrations().values()
    project = Project(production.name, folder or next(map(_folder_of, classes), Path.cwd()), own_folders=folder is None)
    _read_composed(project, production, Place(production.name, warnings=project.warnings))
    return project


def _place(project: Project, name: str) -> Place:
    return Place(name, project.file, project.warnings)


def add_classes(project: Project, data: Any, file: Path | None = None) -> None:
    """Take in what CLASSES says.

    :param file: the settings file itself, which a folder may contain.
    :raises ShapeError: an entry has the wrong shape, or is no component.
    """
    place = _place(project, "CLASSES")
    for binding in bound_classes(data, place, project.folder, file) if data is not None else ():
        project.add(binding, place.inside(binding.name))


def add_schemas(project: Project, data: Any) -> None:
    """Take in what SCHEMAS says.

    :raises ShapeError: one is no message.
    """
    if data is not None:
        project.schemas |= read_schemas(data, _place(project, "SCHEMAS"))


# Productions --------------------------------------------------------------------------------------------------


def add_productions(project: Project, data: Any) -> None:
    """Take in what PRODUCTIONS says.

    :raises ShapeError: a part has the wrong shape.
    """
    place = _place(project, "PRODUCTIONS")
    if data is None:
        return
    if not isinstance(data, list | tuple):
        raise place.error(f"expected a list, got {type(data).__name__}", "Write PRODUCTIONS = [...].")
    for index, one in enumerate(data):
        _read_production(project, one, place.inside(index))


def _read_production(project: Project, given: Any, place: Place) -> None:
    if isinstance(given, type) and issubclass(given, Production):
        given = _composed(given, place)
    if isinstance(given, Production):
        _read_composed(project, given, place)
    elif isinstance(given, Mapping):
        for reading in productions_from(given, place):
            _read_shape(project, reading, place)
    else:
        what = f"expected a Production or a dictionary, got {type(given).__name__}"
        raise place.error(what, 'Write {"Demo.Production": {"Item": [...]}}, or Production("Demo.Production").')


def _composed(cls: type[Production], place: Place) -> Production:
    try:
        return cls()
    except Exception as error:
        raise place.error(f"{cls.__name__} cannot be made: {text_of(error)}", "Correct the class.") from error


def _read_shape(project: Project, reading: Reading, place: Place) -> None:
    for name, (given, at) in reading.classes.items():
        project.add(single_class(name, given, at, project.folder), at)
    if reading.warnings is not project.warnings:
        project.warnings += reading.warnings
    composed = Production.from_definition(reading.definition, project.component)
    project.add_production(reading.definition, composed, place)


def _read_composed(project: Project, production: Production, place: Place) -> None:
    at = place.inside(production.name)
    for binding in _bindings_of(production, at, project):
        project.add(binding, at)
        if binding.name == automatic_name(binding.cls):
            project.automatic.add(binding.name)
    for name, cls in production.message_registrations().items():
        project.schemas[cls] = json_schema(cls)
        if name != type_name(cls):
            project.schema_names[cls] = name
    project.add_production(production.to_definition(), production, place)


def _bindings_of(production: Production, place: Place, project: Project) -> Iterator[Binding]:
    try:
        found = {**production.component_registrations(), **production.adapter_registrations()}
    except ValueError as error:
        raise place.error(str(error), "Give one of them a class_name.") from error
    for name, cls in found.items():
        yield bound_class(name, cls, place, _folder_of(cls) if project.own_folders else project.folder)


def _folder_of(cls: type) -> Path:
    """Where the imports of the module of a class begin."""
    module = sys.modules.get(cls.__module__)
    return root_of(module) if module is not None and getattr(module, "__file__", None) else Path.cwd()
