"""Answers that the listeners keep, in the node's store: state under an address that no service can have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from junctor.core.outcome import StateWrite

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

    def names(self) -> list[str]:
        return self._engine.transport.state_keys(ADDRESS)

    async def write(self, name: str, value: bytes | None) -> None:
        """:raises StoreFull: the disk has no room."""
        _, version = self._engine.transport.state(ADDRESS, name).get(_NAME, (None, 0))
        write = StateWrite(name, _NAME, value, version)
        await self._engine.committed(writes=(write,), source=ADDRESS, external=True)  # type: ignore[arg-type]
