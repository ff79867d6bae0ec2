"""CLASSES of a settings file: a name, and in one of several ways the class or the classes that it stands for."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from junctor.dialects.iop.components import BusinessHost, InboundAdapter, OutboundAdapter
from junctor.dialects.iop.definition import Registration
from junctor.dialects.iop.messages import PersistentMessage
from junctor.dialects.iop.messages.kinds import is_message_class
from junctor.dialects.iop.migration.classes import class_in, registration_of
from junctor.dialects.iop.production.reading import Place
from junctor.errors import ConfigurationError, ImportFailed, nearest
from junctor.flows.code.imports import import_place

_COMPONENTS = (BusinessHost, InboundAdapter, OutboundAdapter)
_SHAPES = 'a class, a module, {"module", "class", "path"}, {"path", "file"}, {"path", "package"} or {"path"}'
_WORDS = ("module", "class", "path", "file", "package")


class Binding(NamedTuple):
    """A class with the name that it is registered under."""

    cls: type
    registration: Registration

    @property
    def name(self) -> str:
        """The registered name."""
        return self.registration.name


def bound_classes(data: Any, place: Place, folder: Path, skip: Path | None = None) -> Iterator[Binding]:
    """All bindings of CLASSES.

    :param folder: of the settings file; paths are relative to it.
    :param skip: the settings file itself, which a folder may contain.
    :raises ShapeError: an entry has the wrong shape, or is no component.
    :raises ImportFailed: a file or module cannot be imported.
    """
    if not isinstance(data, Mapping):
        what = f"expected a dictionary, got {type(data).__name__}"
        raise place.error(what, 'Write CLASSES = {"Python.MyOperation": MyOperation}.')
    for name, given in data.items():
        if not isinstance(name, str) or not name.strip():
            raise place.error(f"{name!r} is no name of a class", 'Write it as text, as in "Python.MyOperation".')
        yield from _bound(name, given, place.inside(name), folder, skip)


def _bound(name: str, given: Any, place: Place, folder: Path, skip: Path | None) -> Iterator[Binding]:
    if isinstance(given, type):
        if issubclass(given, PersistentMessage):
            place.warn("PersistentMessage is not offered yet; it is not registered")
            return
        yield bound_class(name, given, place, folder)
    elif isinstance(given, types.ModuleType):
        yield from _of_module(name, given, place, folder)
    elif isinstance(given, Mapping):
        yield from _of_mapping(name, given, place, folder, skip)
    else:
        raise place.error(f"expected {_SHAPES}, got {type(given).__name__}", "Import the class and name it here.")


def bound_class(name: str, cls: type, place: Place, folder: Path) -> Binding:
    """The binding of one class.

    :raises ShapeError: it is no component.
    """
    if not issubclass(cls, _COMPONENTS):
        if is_message_class(cls):
            fix = "Take it out: messages are not registered. For its JSON schema put it into SCHEMAS."
            raise place.error(f"{cls.__qualname__} is a message, not a component", fix)
        fix = "Derive it from BusinessService, BusinessProcess, BusinessOperation or an adapter."
        raise place.error(f"{cls.__qualname__} is not a component", fix)
    try:
        return Binding(cls, registration_of(name, cls, folder))
    except ConfigurationError as error:
        raise place.error(error.what, error.fix) from error


def single_class(name: str, given: Any, place: Place, folder: Path) -> Binding:
    """The binding of ``@ClassName`` of an item: a class, or a dictionary that names one.

    :raises ShapeError: it stands for several, or is no component.
    """
    found = list(_bound(name, given, place, folder, None))
    if len(found) != 1 or found[0].name != name:
        raise place.error("an item has one class", 'Write {"module": "bo", "class": "MyOperation", "path": "."}.')
    return found[0]


def _of_mapping(
    name: str, given: Mapping[str, Any], place: Place, folder: Path, skip: Path | None
) -> Iterator[Binding]:
    for word in given:
        if word not in _WORDS:
            raise place.inside(str(word)).error("it means nothing here", nearest(str(word), _WORDS).strip())
    base = _folder(given, place, folder)
    if "class" in given:
        module = _imported(place.required(given, "module"), base, place.inside("module"))
        cls = _class_of(module, place.required(given, "class"), place)
        yield bound_class(name, cls, place, base)
    elif "module" in given:
        yield from _of_module(
            name, _imported(place.required(given, "module"), base, place.inside("module")), place, base
        )
    elif "file" in given:
        yield from _of_module(name, _imported(place.required(given, "file"), base, place.inside("file")), place, base)
    elif "package" in given:
        yield from _of_package(name, place.required(given, "package"), place, base)
    elif "path" in given:
        yield from _of_folder(name, place, base, skip)
    else:
        raise place.error(f"expected {_SHAPES}, got an empty dictionary", "Import the class and name it here.")


def _folder(given: Mapping[str, Any], place: Place, folder: Path) -> Path:
    """The folder that a dictionary names, relative to that of the settings file."""
    try:
        base = (folder / (place.text(given, "path") or ".")).resolve()
        is_folder = base.is_dir()
    except (OSError, ValueError) as error:
        what = f"it cannot be looked for: {getattr(error, 'strerror', error)}"
        raise place.inside("path").error(what, "Write it relative to the settings file.") from error
    if not is_folder:
        fix = "Write it relative to the settings file." if not base.exists() else 'Name the folder, and its "file".'
        raise place.inside("path").error(f"there is no folder {base}", fix)
    return base


def _imported(name: str, folder: Path, place: Place) -> types.ModuleType:
    """:raises ImportFailed: it cannot be imported; the place of the entry is in the text."""
    try:
        return import_place(name, folder)
    except ImportFailed as error:
        if error.where not in (None, name):  # in its own code
            raise ImportFailed(error.what, where=f"{place} ({error.where})", fix=error.fix) from error
        fix = f'There is none in {folder}; write in "path" where it is, relative to the settings file.'
        fix = error.fix if name.endswith(".py") else fix
        raise ImportFailed(error.what, where=str(place), fix=fix) from error


def _class_of(module: types.ModuleType, name: str, place: Place) -> type:
    try:
        return class_in(module, name, str(place))
    except ConfigurationError as error:
        raise place.inside("class").error(error.what, error.fix) from error


def _of_module(name: str, module: types.ModuleType, place: Place, folder: Path) -> Iterator[Binding]:
    """All components that a module defines, each as ``NAME.Class``."""
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, _COMPONENTS) and value.__module__ == module.__name__
    ]
    if not found:
        place.warn("there is no component in it")
    for cls in found:
        yield bound_class(f"{name}.{cls.__name__}", cls, place, folder)


def _of_folder(name: str, place: Place, base: Path, skip: Path | None) -> Iterator[Binding]:
    """All components of the files in a folder, each as ``NAME.module.Class``."""
    for file in sorted(base.glob("*.py")):
        if file != skip and file.name != "__init__.py":
            module = _imported(file.name, base, place.inside("path"))
            if _has_components(module):
                yield from _of_module(f"{name}.{file.stem.replace('_', '')}", module, place, base)


def _of_package(name: str, package: str, place: Place, base: Path) -> Iterator[Binding]:
    """All components of the modules in a package, each as ``NAME.package.module.Class``."""
    parts = package.split(".")
    if not all(part.isidentifier() for part in parts):
        what = f"{package!r} is no name of a package"
        raise place.inside("package").error(what, 'Write it as it is imported, as in "shop.parts".')
    top = base.joinpath(*parts)
    if not top.is_dir():
        raise place.inside("package").error(f"there is no package {top}", "Write its name, as it is imported.")
    for file in sorted(top.rglob("*.py")):
        parts = [*file.relative_to(base).with_suffix("").parts]
        dotted = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        module = _imported(dotted, base, place.inside("package"))
        if _has_components(module):
            yield from _of_module(f"{name}.{dotted.replace('_', '')}", module, place, base)


def _has_components(module: types.ModuleType) -> bool:
    return any(
        isinstance(value, type) and issubclass(value, _COMPONENTS) and value.__module__ == module.__name__
        for value in vars(module).values()
    )
