"""The persisted state of a service as its code sees it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from junctor.core.hop import Hop
from junctor.core.outcome import StateWrite
from junctor.errors import StateError
from junctor.messages import codec
from junctor.runtime.intake import bounded

if TYPE_CHECKING:
    from junctor.runtime.host import Host


class HostState:
    """One key of one service: the delivery's own writes first, then those on their way to the store, then the store."""

    __slots__ = ("_hop", "_host", "_key")

    def __init__(self, host: Host, key: str, hop: Hop | None) -> None:
        self._host = host
        self._key = key
        self._hop = hop

    def read(self, name: str) -> Any:
        value, _ = self._entry(name)
        if value is None:
            raise KeyError(name)
        return msgspec.json.decode(value)

    def write(self, name: str, value: Any) -> None:
        data = codec.encode(value)
        bounded(data, self._host.dispatcher.max_body, f"the state {name!r}", self._host.address)
        self._put(name, data)

    def delete(self, name: str) -> None:
        value, _ = self._entry(name)
        if value is None:
            raise KeyError(name)
        self._put(name, None)

    def names(self) -> Sequence[str]:
        found = dict.fromkeys(self._host.transport.state(self._host.address, self._key))
        if self._hop is not None:
            own = ((k, n, entry[0]) for (k, n), entry in list(self._host.pending_state.items()))
            written = ((k, n, write.value) for (k, n), write in (self._hop.writes or {}).items())
            for key, name, value in (*own, *written):
                if key == self._key:
                    found.pop(name, None)
                    if value is not None:
                        found[name] = None
        return list(found)

    def _entry(self, name: str) -> tuple[bytes | None, int]:
        """Value and version as this hop sees them; version 0 when there is no entry."""
        hop, host = self._hop, self._host
        if hop is None:
            return host.transport.state(host.address, self._key).get(name, (None, 0))
        if hop.writes and (own := hop.writes.get((self._key, name))) is not None:
            return own.value, own.expected + 1
        value, version = self._latest(name)
        if hop.reads is None:
            hop.reads = {}
        # The first version counts: what the delivery goes by must not have changed when it commits.
        hop.reads.setdefault((self._key, name), version)
        return value, version

    def _latest(self, name: str) -> tuple[bytes | None, int]:
        """Value and version with what is on its way to the store."""
        host = self._host
        pending = host.pending_state.get((self._key, name))
        if pending is not None:
            return pending[0], pending[1]
        return host.transport.state(host.address, self._key).get(name, (None, 0))

    def _put(self, name: str, value: bytes | None) -> None:
        hop = self._hop
        if hop is None or not hop.open:
            raise StateError(
                f"state {name!r} was changed outside a delivery",
                where=self._host.address,
                fix="Change state in a handler or schedule; a route or action sends its own service a message instead.",
            )
        if hop.writes is None:
            hop.writes = {}
        entry = (self._key, name)
        if (earlier := hop.writes.get(entry)) is not None:
            expected = earlier.expected
        elif hop.reads is None or (known := hop.reads.get(entry)) is None:
            expected = self._latest(name)[1]
        else:
            expected = known
        hop.writes[entry] = StateWrite(self._key, name, value, expected)
