"""From a registration to its class, and the other way."""

from __future__ import annotations

import sys
import threading
import types
from collections.abc import Mapping
from pathlib import Path

from junctor.dialects.iop.definition import Registration
from junctor.dialects.iop.migration.type_names import name_types
from junctor.dialects.iop.production.kinds import plain_module
from junctor.errors import ConfigurationError, ImportFailed
from junctor.flows.code.imports import attribute_of, import_place
from junctor.observe.frames import is_users

IMPORTING = threading.RLock()
"""Held while code is imported and its messages get their names, for a moment some modules are not where they belong."""


def load_class(registration: Registration, owners: Mapping[str, str] | None = None) -> type:
    """Import the class of a registration.

    :param owners: the folders that type names belong to; messages of other folders with these names get others.
    :raises ConfigurationError: its folder is gone, its code fails, or it is no class.
    """
    folder = Path(registration.folder)
    if not folder.is_dir():
        what = f"the folder of {registration.name} is gone: {folder}"
        raise ImportFailed(what, where=registration.name, fix="Put it back, or migrate the code from where it is now.")
    with IMPORTING:
        found = class_in(import_place(registration.module, folder), registration.cls, registration.module)
        if owners:
            name_types(owners, [folder])
    return found


def class_in(module: types.ModuleType, name: str, place: str) -> type:
    """The class of this name in a module.

    :raises ConfigurationError: there is none, or it is no class.
    """
    found = attribute_of(module, name, f"{place}:{name}")
    if not isinstance(found, type):
        what = f"{name} is not a class but {type(found).__name__}"
        raise ConfigurationError(what, where=f"{place}:{name}", fix="Name a class.")
    return found


def registration_of(name: str, cls: type, folder: Path) -> Registration:
    """How a class is found again.

    :param folder: of the settings file. It is where the imports of the class begin, unless its module lies elsewhere.
    :raises ConfigurationError: it cannot be found again: it is made inside a function, or in no file.
    """
    if "<locals>" in cls.__qualname__:
        what = f"{cls.__qualname__} is made inside a function"
        raise ConfigurationError(what, where=name, fix="Write the class at the top of its module.")
    home = sys.modules.get(cls.__module__)
    file = getattr(home, "__file__", None)
    if not isinstance(file, str) or _attribute(home, cls.__qualname__) is not cls:
        what = f"{cls.__qualname__} is not found again by its name in a file"
        raise ConfigurationError(
            what, where=name, fix="Write it as a class at the top of a file, and import it from there."
        )
    module, place = _place_of(plain_module(cls), Path(file).resolve(), folder)
    return Registration(name=name, module=module, cls=cls.__qualname__, folder=str(place))


def _attribute(module: object, path: str) -> object:
    found = module
    for part in path.split("."):
        found = getattr(found, part, None)
    return found


def _place_of(module: str, file: Path, folder: Path) -> tuple[str, Path]:
    """The module, or the file, as it is imported from a folder; and that folder."""
    if not is_users(str(file)):
        return module, folder
    for candidate in (folder.joinpath(*module.split(".")).with_suffix(".py"), folder.joinpath(*module.split("."))):
        if file in (candidate, candidate / "__init__.py"):
            return module, folder
    if "." in module:  # its imports need the package
        return module, file.parents[module.count(".") + (file.name == "__init__.py")]
    return str(file.relative_to(folder) if file.is_relative_to(folder) else file), folder
