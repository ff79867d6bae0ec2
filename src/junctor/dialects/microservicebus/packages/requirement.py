"""What a service may ask for: a name on the index, with extras and versions, and nothing else."""

from __future__ import annotations

import re
from typing import NamedTuple

from junctor.dialects.microservicebus.packages.errors import PackageError

_LONGEST = 200
_SHOWN = 60
_VERSION = r"(?:===|==|~=|!=|<=|>=|<|>)\s*[A-Za-z0-9.*+!_-]+"
_FORM = re.compile(
    r"([A-Za-z0-9][A-Za-z0-9._-]*)"
    r"(?:\s*\[([A-Za-z0-9._,\s-]*)\])?"
    rf"\s*((?:{_VERSION}(?:\s*,\s*{_VERSION})*)?)"
)


class Requirement(NamedTuple):
    """A package as a service asks for it.

    :param name: as indexes compare names, ``paho-mqtt`` for ``Paho_MQTT``.
    :param extras: in brackets, or empty.
    :param versions: ``>=2,<3``, or empty for any.
    """

    name: str
    extras: str
    versions: str

    @property
    def text(self) -> str:
        return f"{self.name}{self.extras}{self.versions}"

    def pinned(self, version: str) -> str:
        """The same package in one version."""
        return f"{self.name}{self.extras}=={version}"


def requirement_of(package: object) -> Requirement:
    """Read the first argument of ``AddPipPackage``. Addresses, paths, options and markers are no names.

    :raises PackageError: it is no name of a package.
    """
    found = _FORM.fullmatch(package.strip()) if isinstance(package, str) and len(package) <= _LONGEST else None
    if found is None or found[1][-1] in "._-":
        shown = repr(package) if len(repr(package)) <= _SHOWN else f"{repr(package)[:_SHOWN]}..."
        what = f"{shown} is no name of a package; nothing was installed"
        raise PackageError(
            what, where="AddPipPackage", fix='Write a name, with a version where one is wanted: "psutil>=6".'
        )
    extras = ",".join(sorted(normal(part) for part in (found[2] or "").split(",") if part.strip()))
    return Requirement(normal(found[1]), f"[{extras}]" if extras else "", re.sub(r"\s+", "", found[3]))


def normal(name: str) -> str:
    """A name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name.strip()).lower()
