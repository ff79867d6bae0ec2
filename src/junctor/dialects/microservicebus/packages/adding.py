"""``AddPipPackage``: import, and where there is nothing to import, install first."""

from __future__ import annotations

import importlib
import importlib.metadata
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

from junctor.dialects.microservicebus.packages import uv
from junctor.dialects.microservicebus.packages.errors import PackageError
from junctor.dialects.microservicebus.packages.folder import Folder
from junctor.dialects.microservicebus.packages.requirement import Requirement, requirement_of
from junctor.dialects.microservicebus.packages.rules import Lock, PackageRules
from junctor.errors import nearest, text_of

Tell = Callable[[str], None]


class Packages:
    """The packages that a service can add.

    :param folder: where they are installed; None: there is no node, and what is missing is refused.
    :param rules: what the flow demands.
    :param base: the folder of the flow, from which the lock file is named.
    :param tell: gets a line before and after an installation.
    """

    def __init__(
        self, folder: Folder | None, rules: PackageRules, base: Path = Path(), tell: Tell = lambda text: None
    ) -> None:
        self._folder = folder
        self._rules = rules
        self._base = base
        self._tell = tell

    def add(self, package: str, module: str, name: str) -> Any:
        """An object of a package, which is installed where it is missing. Callable from any thread; it blocks.

        :raises PackageError: with the package and the reason.
        """
        requirement = requirement_of(package)
        check_names(requirement, module, name)
        try:
            found = self._found(requirement, module)
            if found is None:
                self._bring(requirement)
                found = _imported(requirement, module)
        except PackageError as error:
            raise _of(requirement, error) from error.__cause__
        if found is None:
            raise _without(requirement, module, self._folder)
        return _attribute(requirement, found, name)

    def _found(self, requirement: Requirement, module: str) -> types.ModuleType | None:
        """What is there without an installation: at once, also without a network."""
        if not requirement.versions or self._suits(requirement):
            return _imported(requirement, module)
        return None

    def _suits(self, requirement: Requirement) -> bool:
        """Whether what would be imported is a version that is wanted; also where nothing would.

        :raises PackageError: another version is in the way.
        """
        try:
            known = importlib.metadata.distribution(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            return True
        place = Path(str(known.locate_file("")))
        wanted = f"{requirement.name}{requirement.versions}"
        if requirement.versions == f"=={known.version}" or uv.satisfies(place, known.version, wanted):
            return True
        if self._folder is None or place != self._folder.path(requirement.name):
            what = f"{requirement.versions} is wanted, and {known.version} is installed in {place}"
            raise PackageError(what, fix="Change the one that is installed, or take it as it is.")
        what = f"{requirement.versions} is wanted, and {known.version} is in use"
        raise PackageError(what, fix="Restart the node.")

    def _bring(self, requirement: Requirement) -> None:
        """Let the package be on the path of Python."""
        self._rules.demand(requirement)
        lock = Lock(self._base / self._rules.lock) if self._rules.lock else None
        if lock is not None:
            lock.pin(requirement)
        if self._folder is None:
            raise PackageError("it is missing, and no node is there that could install it", fix="Install it with pip.")
        if not self._folder.has(requirement, lock):
            with self._folder.changing() as file:
                if not self._folder.has(requirement, lock):
                    self._install(self._folder, requirement, lock, file)
        self._folder.activate(requirement.name)

    def _install(self, folder: Folder, requirement: Requirement, lock: Lock | None, file: int) -> None:
        if folder.is_active(requirement.name):
            raise PackageError("another version of it is in use", fix="Restart the node.")
        self._tell(f"installing {requirement.text}")
        begun = time.monotonic()
        stored = folder.install(requirement, lock, file)
        came = ", ".join(f"{name} {version}" for name, version in sorted(stored.versions.items()))
        self._tell(f"installed {came} in {time.monotonic() - begun:.1f} s")


def check_names(requirement: Requirement, module: object, name: object) -> None:
    """:raises PackageError: the module or the object has no name of Python."""
    if not isinstance(module, str) or not all(part.isidentifier() for part in module.split(".")):
        what = f"{module!r:.60} is no name of a module"
        raise _of(requirement, PackageError(what, fix='Write it as in an import: "paho.mqtt.client".'))
    if not isinstance(name, str) or not name.isidentifier():
        what = f"{name!r:.60} is no name of an object"
        raise _of(requirement, PackageError(what, fix='Write it as in an import: "Client".'))


def _imported(requirement: Requirement, module: str) -> types.ModuleType | None:
    """None: it, or something that it imports, is not there.

    :raises PackageError: it is there, and raises.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError:
        return None
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:
        what = f"{module} cannot be imported: {type(error).__name__}: {text_of(error)}"
        raise PackageError(what, fix="The whole traceback is below.") from error


def _attribute(requirement: Requirement, module: types.ModuleType, name: str) -> Any:
    try:
        return getattr(module, name)
    except AttributeError:
        known = [each for each in dir(module) if not each.startswith("_")]
        what = f"{module.__name__} has no {name}"
        raise _of(requirement, PackageError(what, fix=nearest(name, known).strip() or "Correct the name.")) from None


def _without(requirement: Requirement, module: str, folder: Folder | None) -> PackageError:
    """It is installed, and its module is not there."""
    brought = folder.modules(requirement.name) if folder is not None else []
    what = f"it is installed, and has no module {module}"
    fix = nearest(module.partition(".")[0], brought).strip() or "Correct the name of the module."
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name and not f"{module}.".startswith(f"{error.name}."):
            what, fix = f"{module} needs the module {error.name}, which is missing", "Add the package that has it."
    return _of(requirement, PackageError(what, fix=fix))


def _of(requirement: Requirement, error: PackageError) -> PackageError:
    """The error, with its package."""
    where = error.where or "AddPipPackage"
    return type(error)(f"{requirement.text}: {error.what}", where=where, fix=error.fix)
