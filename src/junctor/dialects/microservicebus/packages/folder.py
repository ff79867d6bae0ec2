"""The packages of a flow on the disk: each in a folder of its own, together with what it needs.

A folder appears whole, by its renaming: one that was being written when the node was killed has another name, and is
removed by the next installation. They lie in the data directory of the node, which only its user can write.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib
import importlib.metadata
import os
import re
import shutil
import site
import sys
import sysconfig
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from junctor import forks
from junctor.dialects.microservicebus.packages import uv
from junctor.dialects.microservicebus.packages.errors import PackageError
from junctor.dialects.microservicebus.packages.requirement import Requirement, normal
from junctor.dialects.microservicebus.packages.rules import Lock, Pin
from junctor.dialects.microservicebus.packages.uv import Stopping

HOME = "packages"
"""Its folder in a data directory."""

_INSIDE = "site-packages"
"""What is in a folder of this name is an installed package, for tracebacks and for what is loaded anew."""

_RECORD = "package.json"
_LOCK = ".lock"
_MAKING, _GOING = ".new-", ".old-"
_VERSION = re.compile(r"(?:\d+!)?\d+(?:\.\d+)*(?:(?:a|b|rc)\d+)?(?:\.post\d+)?(?:\.dev\d+)?(?:\+[a-z0-9.]+)?")
_PAUSE = 0.1
"""Seconds between two looks at a lock that somebody holds."""

_paths = threading.Lock()


class Stored(msgspec.Struct, frozen=True):
    """What lies beside a package.

    :param wanted: the requirement that it was installed for.
    :param versions: of itself and all that came with it, by name.
    :param pins: what a lock file demanded of them; empty where none was asked for.
    """

    wanted: str
    versions: dict[str, str]
    pins: dict[str, Pin] = {}


class Folder:
    """The packages of one flow for this Python.

    :param home: the data directory of the node.
    :param stopping: whether what installs is to be given up, since its service stops; asked from time to time.
    """

    def __init__(self, home: Path, stopping: Stopping = uv.never) -> None:
        self._stopping = stopping
        # Compiled modules fit one version of Python on one kind of machine.
        self._place = home / HOME / f"{sys.implementation.cache_tag}-{sysconfig.get_platform()}"

    def path(self, name: str) -> Path:
        """What belongs on the path of Python for a package."""
        return self._place / name / _INSIDE

    def stored(self, name: str) -> Stored | None:
        """What is known of a package that is here; None where it is not."""
        with contextlib.suppress(OSError, msgspec.MsgspecError):
            return msgspec.json.decode((self._place / name / _RECORD).read_bytes(), type=Stored)
        return None

    def has(self, requirement: Requirement, lock: Lock | None) -> bool:
        """Whether a package is here in a version that is wanted, and as a lock file demands it."""
        stored = self.stored(requirement.name)
        if stored is None or (lock is not None and not lock.covers(stored.pins)):
            return False
        if requirement.extras and not stored.wanted.startswith(f"{requirement.name}{requirement.extras}"):
            return False
        if not requirement.versions or stored.wanted == requirement.text:
            return True
        version = stored.versions.get(requirement.name, "")
        return uv.satisfies(self.path(requirement.name), version, f"{requirement.name}{requirement.versions}")

    def activate(self, name: str) -> None:
        """Put a package at the end of the path of Python, where it hides nothing."""
        path = str(self.path(name))
        with _paths:
            if path not in sys.path:
                site.addsitedir(path)
                importlib.invalidate_caches()

    def is_active(self, name: str) -> bool:
        return str(self.path(name)) in sys.path

    def modules(self, name: str) -> list[str]:
        """The names that can be imported of a package and of what came with it."""
        with contextlib.suppress(OSError):
            found = {path.name.removesuffix(".py") for path in self.path(name).iterdir()}
            return sorted(each for each in found if each.isidentifier() and not each.startswith("__"))
        return []

    @contextlib.contextmanager
    def changing(self) -> Iterator[int]:
        """Hold the lock of the folder, waiting for it, with what was left behind removed; its descriptor.

        uv gets the descriptor: while one that a killed node has left behind still writes, the lock is held.

        :raises PackageError: the folder cannot be written.
        """
        try:
            self._place.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = os.open(self._place / _LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            what = f"the folder for packages cannot be written: {error.strerror}"
            raise PackageError(
                what, where=str(self._place), fix="Give the node a data directory that it can write."
            ) from error
        forks.close_in_children(file)
        try:
            self._wait(file)
            self._tidy()
            yield file
        finally:
            with contextlib.suppress(OSError):
                fcntl.flock(file, fcntl.LOCK_UN)
            forks.forget(file)
            os.close(file)

    def _wait(self, file: int) -> None:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if self._stopping():
                    raise uv.given_up() from None
                time.sleep(_PAUSE)

    def install(self, requirement: Requirement, lock: Lock | None, file: int) -> Stored:
        """Install a package in the place of what may be there. The lock must be held.

        :param file: its descriptor.
        :raises PackageError: it fails; what was there is there still.
        """
        made = Path(tempfile.mkdtemp(prefix=_MAKING, dir=self._place))
        try:
            self._fill(made, requirement, lock, file)
            stored = self._described(made, requirement, lock)
            os.sync()  # a power cut must not leave a folder of this name with empty files
            self._put(made, requirement.name)
        except OSError as error:
            what = f"it cannot be written: {error.strerror}"
            raise PackageError(what, where=str(self._place), fix="Make room on the disk.") from error
        finally:
            shutil.rmtree(made, ignore_errors=True)
        return stored

    def _fill(self, made: Path, requirement: Requirement, lock: Lock | None, file: int) -> None:
        target = made / _INSIDE
        if lock is not None:
            wanted = requirement.pinned(lock.pin(requirement).version)
            uv.install(wanted, target, [lock.path], hashes=True, keep=[file], stopping=self._stopping)
            return
        constraints = made / "constraints.txt"
        known = {**self._siblings(requirement.name), **environment()}
        constraints.write_text("".join(f"{name}=={version}\n" for name, version in sorted(known.items())))
        uv.install(requirement.text, target, [constraints], hashes=False, keep=[file], stopping=self._stopping)
        constraints.unlink()

    def _siblings(self, name: str) -> dict[str, str]:
        """Versions of what is here for other packages: one process has one of them."""
        found: dict[str, str] = {}
        for path in self._place.iterdir():
            if path.name != name and not path.name.startswith(".") and (stored := self.stored(path.name)):
                found.update(stored.versions)
        found.pop(name, None)
        return found

    def _described(self, made: Path, requirement: Requirement, lock: Lock | None) -> Stored:
        versions = _versions(str(made / _INSIDE))
        _check_beside(versions, environment())
        pins = {name: pin for name, pin in lock.pins.items() if name in versions} if lock is not None else {}
        stored = Stored(requirement.text, versions, pins)
        (made / _RECORD).write_bytes(msgspec.json.encode(stored))
        return stored

    def _put(self, made: Path, name: str) -> None:
        final = self._place / name
        if final.exists():
            os.rename(final, self._place / f"{_GOING}{os.path.basename(made)}")
        os.rename(made, final)
        self._tidy()

    def _tidy(self) -> None:
        for path in self._place.iterdir():
            if path.name.startswith((_MAKING, _GOING)):
                shutil.rmtree(path, ignore_errors=True)


def environment() -> dict[str, str]:
    """The versions of what is installed beside Junctor, by name."""
    ours = f"{os.sep}{HOME}{os.sep}{sys.implementation.cache_tag}-"
    return _versions(*(path for path in sys.path if ours not in path))


def _versions(*paths: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for distribution in importlib.metadata.distributions(path=list(paths)):
        name, version = distribution.metadata["Name"], distribution.version
        if name and version and _VERSION.fullmatch(version):
            found.setdefault(normal(name), version)
    return found


def _check_beside(made: Mapping[str, str], others: Mapping[str, str]) -> None:
    """:raises PackageError: a package came in a version that the one beside Junctor would hide."""
    for name, version in made.items():
        if others.get(name, version) != version:
            what = f"it needs {name} {version}, and {name} {others[name]} is installed beside Junctor"
            raise PackageError(
                what, fix=f"Write {name}=={others[name]} into the lock file, or change the one beside Junctor."
            )
