"""``self.state``: what a service keeps from one message to the next, and over restarts."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any, Protocol

import msgspec

from junctor.core.port import StateView
from junctor.errors import StateError
from junctor.messages import codec


class StateSource(Protocol):
    """Where state comes from: the port of the service."""

    def state(self, key: str | None = None) -> StateView: ...


class State(MutableMapping[str, Any]):
    """Names to values that JSON can carry. A value read is a copy: change it and assign it again to keep the change.

    In a handler or schedule it is the state under the key of the message, and changes are kept together with the
    acknowledgement or not at all. Routes, actions and ``loop`` read what is committed; changing it there raises
    :class:`~junctor.errors.StateError`. In a service without a node it is held in memory.
    """

    __slots__ = ("_key", "_source")

    def __init__(self, source: StateSource, key: str | None = None) -> None:
        self._source = source
        self._key = key

    def of(self, key: str) -> State:
        """The state under another key, for example in a route."""
        return State(self._source, key)

    def __getitem__(self, name: str) -> Any:
        return self._source.state(self._key).read(name)

    def __setitem__(self, name: str, value: Any) -> None:
        if not isinstance(name, str):
            raise StateError(f"a name of state is text, not {name!r}", fix=f"Write self.state[{str(name)!r}].")
        self._source.state(self._key).write(name, value)

    def __delitem__(self, name: str) -> None:
        self._source.state(self._key).delete(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._source.state(self._key).names())

    def __len__(self) -> int:
        return len(self._source.state(self._key).names())

    def __contains__(self, name: object) -> bool:
        try:
            self[str(name)]
        except KeyError:
            return False
        return True

    def get(self, name: str, default: Any = None, type: Any = None) -> Any:
        """A copy of the value, or ``default`` where there is none.

        :param type: turn the plain value into this type, for example ``list[Reading]``.
        """
        try:
            value = self[name]
        except KeyError:
            return default
        return value if type is None else codec.convert(value, type)

    def __repr__(self) -> str:
        return f"State({dict(self)!r})"


class LocalState:
    """State of one key in memory, encoded as a store would, so that what works in a unit test works in a node."""

    def __init__(self) -> None:
        self._entries: dict[str, bytes] = {}

    def read(self, name: str) -> Any:
        return msgspec.json.decode(self._entries[name])

    def write(self, name: str, value: Any) -> None:
        self._entries[name] = codec.encode(value)

    def delete(self, name: str) -> None:
        del self._entries[name]

    def names(self) -> list[str]:
        return list(self._entries)
