"""Where the productions of a namespace are, and which of them runs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from junctor.core.spec import service_name
from junctor.dialects.iop.definition import ProductionDefinition
from junctor.dialects.iop.migration.registry import Registry, home_of, namespace_of
from junctor.errors import JunctorError, nearest
from junctor.node import directory as directories
from junctor.node.control.client import NodeClient
from junctor.node.process import starting

LIFE = "production.json"

DEFAULT = "USER"
"""The namespace that is meant where none is named."""


class NoProduction(JunctorError):
    """No production runs in the namespace, or none is meant by a command that names none."""

    code = "iop-no-production"
    default_fix = "Start one: iop --start NAME. `iop --list` shows which there are."
    status = 503


class Life(msgspec.Struct):
    """What is known of the latest start of a production: a file in the data directory of its node. Times are seconds
    since 1970, 0 for never; ``stopped`` is 0 while it runs, and after a crash."""

    production: str
    namespace: str
    pid: int = 0
    started: float = 0.0
    stopped: float = 0.0

    @classmethod
    def read(cls, directory: Path) -> Life | None:
        """None where no production was started there."""
        with contextlib.suppress(OSError, msgspec.MsgspecError):
            return msgspec.json.decode((directory / LIFE).read_bytes(), type=Life)
        return None

    def write(self, directory: Path) -> None:
        """Replace the file."""
        beside = directory / f"{LIFE}.new"
        beside.write_bytes(msgspec.json.encode(self))
        beside.replace(directory / LIFE)


class Namespace:
    """The productions of a namespace. ``home`` and ``name`` are as in :class:`Registry`: from the environment where
    they are not given."""

    def __init__(self, name: str | None = None, home: Path | None = None) -> None:
        self.name = namespace_of(name)
        self.home = home_of(home)

    def registry(self) -> Registry:
        """What was migrated so far."""
        return Registry.open(self.name, self.home)

    def directory(self, production: str) -> Path:
        """The data directory of the node of a production; in other namespaces than USER their name comes first."""
        prefix = "" if self.name == DEFAULT else f"{self.name.lower()}-"
        return self.home / f"{prefix}{service_name(production)}"

    def life(self, production: str) -> Life:
        """What is known of the latest start of a production in this namespace."""
        found = Life.read(self.directory(production))
        return found if found is not None and found.namespace == self.name else Life(production, self.name)

    def running(self) -> str:
        """The name of the production that runs, empty for none."""
        for name in [*self.registry().productions, *self._started()]:
            if self.runs(name):
                return name
        return ""

    def runs(self, production: str) -> bool:
        """Whether a node runs the production for this namespace."""
        directory = self.directory(production)
        life = Life.read(directory)
        return (life is None or life.namespace == self.name) and directories.is_running(directory)

    def meant(self, production: str | None = None, *, running: bool = True) -> ProductionDefinition:
        """The production of a name; without one the default one.

        :param running: that which runs goes before the default, and where there is neither, that which ran last.
        :raises NoProduction: no name is given, and there is none.
        :raises ConfigurationError: there is no production of this name.
        """
        registry = self.registry()
        name = production or (self.running() if running else "") or registry.default
        name = name or (self.last() if running else "")
        if not name:
            fix = f"Name one, or say which is the default: iop --default NAME. {nearest('', registry.productions)}"
            raise NoProduction("no production name provided and no default production is defined", fix=fix.rstrip())
        return registry.production(name)

    def client(self) -> tuple[str, NodeClient]:
        """The production that runs, with a connection to its node.

        :raises NoProduction: none runs.
        """
        name = self.running()
        if not name:
            raise self.none_runs()
        return name, starting.client_of(self.directory(name))

    def none_runs(self) -> NoProduction:
        """The error of whoever needs one that runs."""
        what, registry = f"no production runs in namespace {self.name}", self.registry()
        if not registry.path.exists():
            fix = "Go to the folder in which it was migrated, name that with $IOP_HOME, or migrate: iop --migrate FILE."
            return NoProduction(f"{what}: there is no registry in {self.home}", fix=fix)
        known = ", ".join(registry.productions)
        fix = f"Start one of {known}: iop --start NAME." if known else "Migrate a settings file: iop --migrate FILE."
        return NoProduction(what, where=str(self.home), fix=fix)

    def node(self) -> Path:
        """The data directory of the node that serves the namespace: of the production that runs; where nothing was
        migrated here, of the only node that does.

        :raises NoProduction: there is none.
        """
        name = self.running()
        if name:
            return self.directory(name)
        with contextlib.suppress(OSError):
            found = [path for path in self.home.iterdir() if path.is_dir() and directories.is_running(path)]
            others = [path for path in found if (life := Life.read(path)) is None or life.namespace == self.name]
            if len(others) == 1:
                return others[0]
        raise self.none_runs()

    def last(self) -> str:
        """The production that was started last, of those in the registry; empty for none."""
        lives = [self.life(name) for name in self.registry().productions]
        last = max(lives, key=lambda life: life.started, default=None)
        return last.production if last is not None and last.started else ""

    def _started(self) -> Iterator[str]:
        """Those that were started and are not in the registry any more."""
        with contextlib.suppress(OSError):
            for directory in sorted(self.home.iterdir()):
                life = Life.read(directory)
                if life is not None and life.namespace == self.name:
                    yield life.production
