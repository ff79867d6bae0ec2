"""What a namespace knows: its classes, productions and message types, in one JSON file.

Only names, folders and definitions are stored, never code: the code is imported from its folder when an item needs it,
because its user migrated it. A namespace of InterSystems IRIS is a database; here it is the file
``HOME/iop/NAMESPACE.json``.
"""

from __future__ import annotations

import os
import re
import shlex
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import msgspec

from junctor.dialects.iop.definition import ProductionDefinition, Registration
from junctor.dialects.iop.migration.lock import locked, make_private
from junctor.errors import ConfigurationError, nearest
from junctor.store.identity import write_durably

_VERSION = 1
_NAME = re.compile(r"[A-Za-z%][A-Za-z0-9_%-]{0,63}")


class RegistryDamaged(ConfigurationError):
    """The file of a namespace cannot be read. It is left as it is: nothing is written over it."""

    code = "iop-registry-damaged"
    default_fix = "Move the file away, and migrate the settings files of the namespace again."


class _Version(msgspec.Struct):
    """What every release can read of the file."""

    version: int


class _Content(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The file."""

    version: int
    default: str = ""
    registrations: list[Registration] = []
    productions: list[ProductionDefinition] = []
    schemas: dict[str, dict[str, Any]] = {}
    types: dict[str, str] = {}


class Registry:
    """The classes and productions of one namespace.

    ``registrations`` and ``productions`` are by name. ``default`` is the name of the production that commands without a
    name mean, empty for none. ``schemas`` are JSON schemas of messages by their type names. ``types`` says which folder
    a type name belongs to, where two folders have a module and a message of the same name.

    What is changed in it is kept by :meth:`save`; :meth:`change` is the way when others may write meanwhile.
    """

    def __init__(self, path: Path, namespace: str = "USER") -> None:
        self.path = path
        self.namespace = namespace
        self.registrations: dict[str, Registration] = {}
        self.productions: dict[str, ProductionDefinition] = {}
        self.schemas: dict[str, dict[str, Any]] = {}
        self.types: dict[str, str] = {}
        self.default = ""

    @classmethod
    def open(cls, namespace: str | None = None, home: Path | None = None) -> Self:
        """The registry of a namespace, empty where nothing was migrated yet.

        :param namespace: ``$IOP_NAMESPACE``, ``$IRISNAMESPACE`` or USER by default.
        :param home: ``$IOP_HOME`` or ``./.junctor`` by default.
        :raises RegistryDamaged: the file cannot be read.
        :raises ConfigurationError: the namespace has no usable name.
        """
        name = namespace_of(namespace)
        registry = cls(home_of(home) / "iop" / f"{name}.json", name)
        registry._read()
        return registry

    @classmethod
    @contextmanager
    def change(cls, namespace: str | None = None, home: Path | None = None) -> Iterator[Self]:
        """The registry to be changed in the block: saved when the block ends, as it was when it raises. Others who
        change it wait.

        :raises ConfigurationError: as :meth:`open`; or another one holds it for longer than ten seconds.
        """
        name = namespace_of(namespace)
        path = home_of(home) / "iop" / f"{name}.json"
        with locked(path.with_suffix(".lock")):
            registry = cls(path, name)
            registry._read()
            yield registry
            registry.save()

    def component(self, name: str) -> type:
        """The class that is registered under a name, imported from its folder.

        :raises ConfigurationError: there is none, or it cannot be loaded.
        """
        found = self.registrations.get(name)
        if found is None:
            fix = f"{nearest(name, self.registrations)}Add it to CLASSES of a settings file, and migrate that."
            raise ConfigurationError(f"no class is registered as {name}", where=f"namespace {self.namespace}", fix=fix)
        from junctor.dialects.iop.migration.classes import load_class  # with all that components are made of

        return load_class(found, self.types)

    def production(self, name: str) -> ProductionDefinition:
        """The production of this name.

        :raises ConfigurationError: there is none.
        """
        found = self.productions.get(name)
        if found is None:
            fix = f"{nearest(name, self.productions)}Add it to PRODUCTIONS of a settings file, and migrate that."
            raise ConfigurationError(f"there is no production {name}", where=f"namespace {self.namespace}", fix=fix)
        return found

    def save(self) -> None:
        """Replace the file: after a power cut either the old or the new content is there, whole.

        :raises StoreError: the folder or disk refuses.
        """
        make_private(self.path.parent)
        content = _Content(
            version=_VERSION,
            default=self.default,
            registrations=sorted(self.registrations.values(), key=lambda one: one.name),
            productions=list(self.productions.values()),
            schemas=self.schemas,
            types=self.types,
        )
        try:
            data = msgspec.json.format(msgspec.json.encode(content), indent=2)
        except UnicodeEncodeError as error:
            what = f"a text of the definition has characters that cannot be stored: {error.object[:60]!r}"
            raise ConfigurationError(what, where=str(self.path), fix="Write it with other characters.") from error
        write_durably(self.path, data + b"\n")

    def _read(self) -> None:
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return
        except PermissionError as error:
            fix = "Run the command as its owner, or let $IOP_HOME name a folder of your own."
            raise ConfigurationError("this user may not read the file", where=str(self.path), fix=fix) from error
        except OSError as error:
            raise RegistryDamaged(f"the file cannot be read: {error.strerror}", where=str(self.path)) from error
        _refuse_foreign(self.path)
        content = _content(data, self.path)
        self.default = content.default
        self.registrations = {one.name: one for one in content.registrations}
        self.productions = {one.name: one for one in content.productions}
        self.schemas, self.types = content.schemas, content.types


def _refuse_foreign(path: Path) -> None:
    """Whoever can change the file says which code is imported.

    :raises ConfigurationError: it is somebody else, too.
    """
    user = os.geteuid()
    for one in (path, path.parent):
        found = one.stat()
        if user not in (0, found.st_uid) and found.st_uid != 0:
            what = "it belongs to another user, and says which code is run"
            raise ConfigurationError(what, where=str(one), fix="Let $IOP_HOME name a folder of your own.")
        if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            what = f"other users can write it (mode {stat.S_IMODE(found.st_mode):o}), and it says which code is run"
            fix = f"Run `chmod go-w {shlex.quote(str(one))}` when what is in it is yours."
            raise ConfigurationError(what, where=str(one), fix=fix)


def _content(data: bytes, path: Path) -> _Content:
    try:
        version = msgspec.json.decode(data, type=_Version).version  # first: a newer one may have another shape
        if version > _VERSION:
            what = f"the file is of version {version}, this release knows {_VERSION}"
            raise RegistryDamaged(what, where=str(path), fix="Use the newer release that wrote it.")
        return msgspec.json.decode(data, type=_Content)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise RegistryDamaged(f"the file is no registry of a namespace: {error}", where=str(path)) from error


def home_of(home: Path | None = None) -> Path:
    """The folder of all namespaces: the argument, ``$IOP_HOME``, or ``.junctor`` in the working folder."""
    return Path(home or os.environ.get("IOP_HOME") or ".junctor").absolute()


def namespace_of(namespace: str | None = None) -> str:
    """The name of a namespace, in capitals, for its case does not count, as in InterSystems IRIS.

    :raises ConfigurationError: it cannot be the name of a file.
    """
    name = namespace or os.environ.get("IOP_NAMESPACE") or os.environ.get("IRISNAMESPACE") or "USER"
    if _NAME.fullmatch(name) is None:
        raise ConfigurationError(f"{name!r} names no namespace", fix="Use letters, digits, - and _, as in USER.")
    return name.upper()
