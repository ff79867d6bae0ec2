"""Answers that the listeners keep, in the node's store: state under an address that no service can have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from junctor.core.outcome import StateWrite
from junctor.runtime.threads import CallThreads

if TYPE_CHECKING:
    from junctor.runtime.engine import Engine

ADDRESS = "http:answers"
_NAME = "answer"


class EngineNotes:
    """Names to bytes (JSON), as durable as the messages of the node; see :class:`~junctor.http.idempotency.Notes`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def read(self, name: str) -> bytes | None:
        value, _ = self._engine.transport.state(ADDRESS, name).get(_NAME, (None, 0))
        return value

    async def entries(self) -> list[tuple[str, bytes]]:
        threads = CallThreads("junctor answers")
        try:
            found: list[tuple[str, bytes]] = await threads.call(self._all, (), None)
            return found
        finally:
            threads.close()

    def _all(self) -> list[tuple[str, bytes]]:
        names = self._engine.transport.state_keys(ADDRESS)
        return [(name, value) for name in names if (value := self.read(name)) is not None]

    async def write(self, name: str, value: bytes | None) -> None:
        """:raises StoreFull: the disk has no room."""
        _, version = self._engine.transport.state(ADDRESS, name).get(_NAME, (None, 0))
        write = StateWrite(name, _NAME, value, version)
        await self._engine.committed(writes=(write,), source=ADDRESS, external=True)
