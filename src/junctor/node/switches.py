"""The services that an operator has paused: by whom, since when and why. Kept in the store, so over restarts as well.

They are ordinary state under an address that no service can have.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from junctor.clock import SECOND
from junctor.core.outcome import StateWrite

if TYPE_CHECKING:
    from junctor.runtime.engine import Engine
    from junctor.runtime.host import Host

log = logging.getLogger("junctor.node")

ADDRESS = "/node"
"""The owner of the state: a service's address has a flow in front of the slash."""

KEY = "paused"


class Pause(msgspec.Struct, frozen=True):
    """Who paused a service, since when, and why."""

    who: str
    since: datetime
    reason: str = ""

    def __str__(self) -> str:
        because = f": {self.reason}" if self.reason else ""
        return f"by {self.who or 'somebody'} since {self.since.astimezone():%Y-%m-%d %H:%M}{because}"


def paused_in(entries: Mapping[str, tuple[bytes, int]]) -> dict[str, Pause]:
    """The pauses by address, from the state that is kept under :data:`ADDRESS` and :data:`KEY`."""
    return {name: msgspec.json.decode(value, type=Pause) for name, (value, _) in entries.items()}


class Switches:
    """``paused`` by the address of the service; there are entries of services that the node does not have now."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.paused: dict[str, Pause] = {}

    def read(self) -> None:
        """Take over what the store has, once it is open."""
        self.paused = paused_in(self._engine.transport.state(ADDRESS, KEY))

    def set(self, hosts: Iterable[Host]) -> None:
        """Let services that have not started yet start paused where they are."""
        for host in hosts:
            pause = self.paused.get(host.address)
            host.pause_reason = str(pause) if pause is not None else host.spec.resting or None

    async def pause(self, host: Host, who: str, reason: str) -> Pause:
        """Pause a service, or say another reason for it. The wish is kept before it has an effect.

        :raises StoreFull: it cannot be kept, not even in the reserve of a full disk.
        """
        since = datetime.fromtimestamp(self._engine.clock.time_ns() / SECOND, UTC)
        pause = Pause(who, since, reason)
        await self._write(host.address, msgspec.json.encode(pause))
        self.paused[host.address] = pause
        host = self._engine.hosts.get(host.address, host)  # another one where the flows were changed meanwhile
        host.pause(str(pause))
        log.info("%s is paused %s", host.address, pause)
        host.alert("paused", f"{host.address} is paused {pause}", f"junctor resume {host.address}")
        return pause

    async def resume(self, host: Host, who: str) -> None:
        """Let a paused service go on; nothing where it is not paused.

        :raises StoreFull: as :meth:`pause`.
        """
        if host.address in self.paused:
            await self._write(host.address, None)
            self.paused.pop(host.address, None)
        elif host.pause_reason is None:
            return
        host = self._engine.hosts.get(host.address, host)
        await host.resume()
        text = f"{host.address} was resumed by {who or 'somebody'}"
        log.info("%s", text)
        host.alert("resumed", text)

    async def _write(self, name: str, value: bytes | None) -> None:
        _, version = self._engine.transport.state(ADDRESS, KEY).get(name, (b"", 0))
        write = StateWrite(KEY, name, value, version)
        await self._engine.committed(writes=(write,), source=ADDRESS, at_once=True)
