"""From a registration to its class, and the other way.

Two projects may both have a module ``msg``. The first folder of a namespace that brings a message ``msg.Order`` owns
the name of the type; the same name from another folder is ``msg.Order@FOLDER``. The registry remembers who owns what,
so stored messages keep their meaning in whichever order the code is loaded.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator, Mapping
from pathlib import Path

from junctor.dialects.iop.definition import Registration
from junctor.errors import ConfigurationError, ImportFailed
from junctor.flows.code.imports import attribute_of, import_place
from junctor.messages import message, type_name

_DECLARED = "__junctor_message__"


def load_class(registration: Registration, owners: Mapping[str, str] | None = None) -> type:
    """Import the class of a registration.

    :param owners: the folders that type names belong to; messages of other folders with these names get others.
    :raises ConfigurationError: its folder is gone, its code fails, or it is no class.
    """
    folder = Path(registration.folder)
    if not folder.is_dir():
        what = f"the folder of {registration.name} is gone: {folder}"
        raise ImportFailed(what, where=registration.name, fix="Put it back, or migrate the code from where it is now.")
    place = f"{registration.module}:{registration.cls}"
    found = attribute_of(import_place(registration.module, folder), registration.cls, place)
    if not isinstance(found, type):
        what = f"{registration.cls} is not a class but {type(found).__name__}"
        raise ConfigurationError(what, where=place, fix="Name a class, and migrate again.")
    if owners:
        name_types(folder, owners)
    return found


def name_types(folder: Path, owners: Mapping[str, str]) -> None:
    """Let the messages of a folder have the names that are theirs in the namespace."""
    home = str(folder)
    for cls in message_classes(folder):
        name = plain_name(cls)
        own = next((known for known, owner in owners.items() if owner == home and known.partition("@")[0] == name), "")
        if own and own != type_name(cls):
            message(name=own)(cls)


def plain_name(cls: type) -> str:
    """The type name without the folder that tells it from another."""
    return type_name(cls).partition("@")[0]


def message_classes(folder: Path) -> Iterator[type]:
    """The messages that the modules of a folder, imported by now, define."""
    for module in modules_of(folder):
        for value in list(vars(module).values()):
            if isinstance(value, type) and value.__module__ == module.__name__ and _DECLARED in vars(value):
                yield value


def modules_of(folder: Path) -> Iterator[types.ModuleType]:
    """The modules that were imported from a folder, or from packages in it."""
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and file.endswith(".py") and Path(file).is_relative_to(folder):
            yield module
