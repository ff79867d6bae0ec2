"""The names of message types in a namespace.

Two projects may both have a module ``msg``. The first folder of a namespace that brings a message ``msg.Order`` owns
the name of the type; the same name from the folder ``shop`` is ``shop:msg.Order``. The registry remembers who owns
what, so stored messages keep their meaning in whichever order the code is loaded.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path

from junctor.dialects.iop.messages.kinds import is_message_class
from junctor.dialects.iop.production.kinds import plain_module
from junctor.messages import message, type_name
from junctor.observe.frames import is_users

_DECLARED = "__junctor_message__"


def name_types(owners: Mapping[str, str], folders: Collection[Path] = ()) -> None:
    """Let the messages that are imported by now have the names that are theirs in the namespace. Those of folders that
    the namespace knows nothing of stay as they are.

    :param owners: type name to folder.
    :param folders: further folders of the namespace; a name there that another folder owns gets that of its folder.
    """
    known = set(owners.values())
    for module in _users_modules():
        root = root_of(module)
        if str(root) not in known and not any(root.is_relative_to(folder) for folder in folders):
            continue
        for cls in _messages_in(module):
            own = name_in(owners, cls, root)
            if own != type_name(cls):
                declared = vars(cls).get(_DECLARED)
                version, upgrade = (declared.version, declared.upgrade) if declared is not None else (1, None)
                message(name=own, version=version, upgrade=upgrade)(cls)


def name_in(owners: Mapping[str, str], cls: type, root: Path) -> str:
    """The name of a message where type names belong to folders.

    :param root: the folder that the imports of its module begin in.
    """
    plain, folder = plain_name(cls), str(root)
    own = next((name for name, owner in owners.items() if owner == folder and name.rpartition(":")[2] == plain), None)
    if own is not None:  # it stays, though the name without a folder is free by now
        return own
    return plain if plain not in owners else _scoped(plain, folder, owners)


def name_apart(messages: Mapping[type, Path]) -> None:
    """Let messages that have one name have several, where no namespace says which: the first one keeps it."""
    owners = claimed({}, messages, lambda folder: True)
    if any(":" in name for name in owners):
        name_types(owners)


def claimed(owners: Mapping[str, str], messages: Mapping[type, Path], keeps: Callable[[str], bool]) -> dict[str, str]:
    """The names of all types, with those of a project.

    :param owners: type name to folder, as it was.
    :param messages: those of the project, each with the folder that its imports begin in.
    :param keeps: whether a folder keeps its names. One that is gone does not.
    """
    found = {name: folder for name, folder in owners.items() if Path(folder).is_dir() and keeps(folder)}
    for cls, root in messages.items():
        found[name_in(found, cls, root)] = str(root)
    return found


def _scoped(name: str, folder: str, owners: Mapping[str, str]) -> str:
    """``shop:msg.Order``, or ``shop-2:msg.Order`` where another folder of that name has it."""
    base, number = Path(folder).name, 1
    made = f"{base}:{name}"
    while made in owners:
        number += 1
        made = f"{base}-{number}:{name}"
    return made


def plain_name(cls: type) -> str:
    """``msg.Order``, wherever it comes from and whatever else was loaded before. One that its code gave it stays."""
    given = type_name(cls).rpartition(":")[2]
    usual = f"{plain_module(cls)}.{cls.__qualname__}"
    return usual if given in (cls.__qualname__, f"{cls.__module__}.{cls.__qualname__}") else given


def messages_below(folders: Sequence[Path]) -> dict[type, Path]:
    """The messages in the imported modules whose imports begin in one of these folders, or below, each with that
    folder; in the order of the folders, for that of the modules depends on what was imported before."""
    modules = sorted(_users_modules(), key=lambda module: str(module.__file__))
    placed = [(root_of(module), module) for module in modules]
    return {
        cls: root
        for folder in folders
        for root, module in placed
        if root.is_relative_to(folder)
        for cls in _messages_in(module)
    }


def root_of(module: types.ModuleType) -> Path:
    """The folder that the imports of a module begin in."""
    file = Path(str(module.__file__)).resolve()
    return file.parents[module.__name__.count(".") + (file.name == "__init__.py")]


def _users_modules() -> Iterator[types.ModuleType]:
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and is_users(file) and module.__name__ == name:
            yield module


def _messages_in(module: types.ModuleType) -> Iterator[type]:
    for value in list(vars(module).values()):
        if is_message_class(value) and value.__module__ == module.__name__:
            yield value
