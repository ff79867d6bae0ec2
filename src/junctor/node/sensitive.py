"""The sensitive fields of the types that a node has met: in memory for what runs, and in its store, so that the
messages of a node that is down are masked too, and old ones still when a class has lost the mark or is gone.

They are ordinary state under an address that no service can have.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import msgspec

from junctor.core.outcome import StateWrite
from junctor.messages import MessageType, TypeRegistry
from junctor.messages.sensitive import Path
from junctor.node.switches import ADDRESS

if TYPE_CHECKING:
    from junctor.runtime.engine import Engine

KEY = "sensitive"

_paths = msgspec.json.Decoder(tuple[Path, ...])


def sensitive_in(entries: Mapping[str, tuple[bytes, int]]) -> dict[str, tuple[Path, ...]]:
    """The paths by the name of the type, from the state that is kept under :data:`KEY`."""
    return {name: _paths.decode(value) for name, (value, _) in entries.items()}


class SensitiveFields:
    """``known`` has the paths by the name of a type: of all classes that had the name, in all flows of the node. What
    is masked once stays masked; a type that is to be shown again gets another name."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writing = asyncio.Lock()
        self._loop = asyncio.get_running_loop()
        self.known: dict[str, tuple[Path, ...]] = {}

    async def read(self, registries: Iterable[TypeRegistry]) -> None:
        """Take over what the store has, once it is open, and keep there what these types have."""
        self.known = sensitive_in(self._engine.transport.state(ADDRESS, KEY))
        for name in {name for types in registries for name in self._add_all(types)}:
            await self._keep(name)

    def watch(self, registries: Iterable[TypeRegistry]) -> None:
        """Also take over what these types have, and what they will have."""
        for types in registries:
            for name in self._add_all(types):
                self._keep_soon(name)

    def _add_all(self, types: TypeRegistry) -> set[str]:
        types.met_sensitive = self._met
        return {name for kind in types if kind.sensitive for name in self._add(kind)}

    def _met(self, kind: MessageType) -> None:
        """In whichever thread the class was seen first."""
        for name in self._add(kind):
            self._loop.call_soon_threadsafe(self._keep_soon, name)

    def _add(self, kind: MessageType) -> list[str]:
        """The names under which something is new."""
        added = []
        for name in (kind.name, *kind.aliases):
            known = self.known.get(name, ())
            if not set(kind.sensitive) <= set(known):
                self.known = {**self.known, name: tuple(dict.fromkeys((*known, *kind.sensitive)))}
                added.append(name)
        return added

    def _keep_soon(self, name: str) -> None:
        self._engine.supervisor.start("sensitive fields", self._keep(name))

    async def _keep(self, name: str) -> None:
        async with self._writing:
            _, version = self._engine.transport.state(ADDRESS, KEY).get(name, (b"", 0))
            write = StateWrite(KEY, name, msgspec.json.encode(self.known[name]), version)
            await self._engine.committed(writes=(write,), source=ADDRESS)
