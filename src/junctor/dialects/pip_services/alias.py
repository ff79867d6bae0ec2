"""The import paths of Pip.Services, all from one table.

Each class can be imported from its package (``from pip_services3_commons.refer import Descriptor``) and from a module
that is called like it (``from pip_services3_commons.refer.Descriptor import Descriptor``). The classes are those in
``__all__`` of our packages: what is added there can be imported here.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from junctor.dialects.beside import refuse_beside
from junctor.dialects.pip_services.not_offered import NOT_OFFERED, classes_of

_OURS = "junctor.dialects.pip_services"
DISTRIBUTION = "junctor-pip-services3"
# A package of theirs, and the one of ours whose parts are found under it.
TABLE: dict[str, str] = {
    "pip_services3_commons": f"{_OURS}.commons",
    "pip_services3_components": f"{_OURS}.components",
    "pip_services3_container": f"{_OURS}.container",
    "pip_services3_data": f"{_OURS}.data",
    "pip_services3_expressions": f"{_OURS}.expressions",
    "pip_services3_rpc": f"{_OURS}.rpc",
    "pip_services3_swagger": f"{_OURS}.swagger",
}


def install(package: str | None = None) -> None:
    """Makes the import paths known to Python. To do it again changes nothing.

    :param package: one of the table that is being imported: it gets the names that stand in it directly.
    :raises ConfigurationError: a package of the original system is installed beside this one.
    """
    refuse_genuine()
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        # At the end: what is installed is preferred, such as a package of the family that is not ours.
        sys.meta_path.append(_Finder())
    if package is not None:
        _fill(sys.modules[package], _names(package))


@cache
def refuse_genuine() -> None:
    """
    :raises ConfigurationError: a package of the original system is installed, whose files would mix with ours.
    """
    refuse_beside(TABLE, DISTRIBUTION)


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname in NOT_OFFERED or _ours(fullname) is not None or _is_root_of_stand_ins(fullname):
            return ModuleSpec(fullname, _Loader(), origin=_ours(fullname) or _OURS, is_package=True)
        return None


class _Loader(Loader):
    """Fills a package with the classes of ours; that one is imported when it is asked for, not before."""

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        _fill(module, _names(module.__name__))


def _ours(fullname: str) -> str | None:
    """Our package for a path of theirs, or None: there is none."""
    root, _, part = fullname.partition(".")
    if root not in TABLE:
        return None
    name = f"{TABLE[root]}.{part}" if part else TABLE[root]
    try:
        found = find_spec(name)
    except ModuleNotFoundError:
        return None
    # Only packages: the modules of theirs are called like classes, ours are not.
    return name if found is not None and found.submodule_search_locations is not None else None


def _is_root_of_stand_ins(fullname: str) -> bool:
    return any(part.startswith(f"{fullname}.") for part in NOT_OFFERED)


def _names(fullname: str) -> Mapping[str, Any]:
    if fullname in NOT_OFFERED:
        return classes_of(fullname)
    ours = _ours(fullname)
    if ours is None:
        return {}
    package = importlib.import_module(ours)
    return {name: getattr(package, name) for name in getattr(package, "__all__", ())}


def _fill(package: ModuleType, names: Mapping[str, Any]) -> None:
    """Gives a package its names, and each a module that is called like it.

    The modules are registered without importing them: an import would put the module in the place of the class.
    """
    for name, value in names.items():
        setattr(package, name, value)
        path = f"{package.__name__}.{name}"
        module = ModuleType(path, f"``{name}``, see {getattr(value, '__module__', _OURS)}.")
        module.__package__ = package.__name__
        module.__spec__ = ModuleSpec(path, None, origin=getattr(value, "__module__", None))
        setattr(module, name, value)
        sys.modules[path] = module
    package.__all__ = tuple(names)  # type: ignore[attr-defined]
