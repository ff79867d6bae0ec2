"""What a flow demands of packages: that they are on a list, or in a file with their hashes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from junctor.dialects.microservicebus.packages.errors import PackageError
from junctor.dialects.microservicebus.packages.requirement import Requirement, normal
from junctor.errors import nearest

_PIN = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?\s*==\s*([A-Za-z0-9.+!_-]+)")
_HASH = re.compile(r"--hash=(\w+:[0-9a-fA-F]+)")
_COMMENT = re.compile(r"(?:^|\s)#.*$", re.MULTILINE)


class Pin(NamedTuple):
    """One version of a package, and the hashes that a file of it may have."""

    version: str
    hashes: frozenset[str]


class PackageRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The setting ``packages``. Nothing given: whatever a service asks for is installed.

    :param allow: names of packages. What these need comes with them.
    :param lock: a file of requirements in which each line has ``==`` and hashes, as ``uv pip compile
        --generate-hashes`` writes it; relative to the folder of the flow. Only what is in it is installed, the
        packages that others need included.
    """

    allow: list[str] | None = None
    lock: str | None = None

    def demand(self, requirement: Requirement) -> None:
        """:raises PackageError: the package is not on the list."""
        if self.allow is None or requirement.name in self._allowed:
            return
        fix = f"{nearest(requirement.name, self._allowed)}Add it to packages.allow if it is meant."
        raise PackageError("it is not among the packages that the flow allows", where="AddPipPackage", fix=fix)

    @property
    def _allowed(self) -> set[str]:
        return {normal(name) for name in self.allow or ()}


class Lock:
    """A file with versions and hashes."""

    def __init__(self, path: Path) -> None:
        """:raises PackageError: it cannot be read, or a line lacks its version or hashes."""
        self.path = path
        try:
            text = path.read_text("utf-8")
        except (OSError, ValueError) as error:
            what = f"the lock file cannot be read: {getattr(error, 'strerror', None) or error}"
            raise PackageError(
                what, where=str(path), fix="Correct packages.lock in the flow, or write the file."
            ) from error
        self.pins = _pins(text, path)

    def pin(self, requirement: Requirement) -> Pin:
        """:raises PackageError: the package is not in the file."""
        found = self.pins.get(requirement.name)
        if found is None:
            fix = (
                nearest(requirement.name, self.pins) + "Add it with `uv pip compile --generate-hashes` if it is meant."
            )
            raise PackageError("it is not in the lock file", where=str(self.path), fix=fix)
        return found

    def covers(self, pins: Mapping[str, Pin]) -> bool:
        """Whether what was installed under these pins might be installed today."""
        return bool(pins) and all(
            (now := self.pins.get(name)) is not None and now.version == pin.version and pin.hashes <= now.hashes
            for name, pin in pins.items()
        )


def _pins(text: str, path: Path) -> dict[str, Pin]:
    pins: dict[str, Pin] = {}
    for line in _COMMENT.sub("", text).replace("\\\n", " ").splitlines():
        if not line.strip() or line.lstrip().startswith("--"):
            continue
        found, hashes = _PIN.match(line), frozenset(_HASH.findall(line))
        if found is None or not hashes:
            what = f"a line of the lock file lacks {'hashes' if found else 'NAME==VERSION'}: {line.strip()[:80]}"
            raise PackageError(what, where=str(path), fix="Write it with: uv pip compile --generate-hashes.")
        pins[normal(found[1])] = Pin(found[2], hashes)
    return pins
