"""The device twin: what the cloud wants of the node, and what the node tells of itself. Decisions alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

MSB_STATE = "msb-state"
"""The entry of the desired state that says whether custom services run, and whether debug output is shown."""

_SWITCHES = ("enabled", "debug")


class Twin(msgspec.Struct, frozen=True):
    """The desired state as far as it is known. None for a switch that nobody has set."""

    desired: dict[str, Any] = {}
    enabled: bool | None = None
    debug: bool | None = None
    problem: str = ""

    def with_desired(self, changes: Mapping[str, Any], *, whole: bool = False) -> Twin:
        """The twin after a change of the desired state. A switch that says neither true nor false stays as it was, and
        so does one that is taken away.

        :param whole: the changes are all that is desired.
        """
        desired = merged({} if whole else self.desired, changes)
        found = desired.get(MSB_STATE, {})
        state = found if isinstance(found, dict) else {}
        problem = "" if isinstance(found, dict) else f"{MSB_STATE} is not an object"
        values = {name: getattr(self, name) for name in _SWITCHES}
        for name in _SWITCHES:
            if isinstance(state.get(name), bool):
                values[name] = state[name]
            elif name in state:
                problem = f"{name} is neither true nor false"
        return Twin(desired, **values, problem=problem)

    def reported(self, *, enabled: bool, debug: bool) -> dict[str, Any]:
        """What the node reports: the switches as they are, and what was wrong with those that are desired.

        :param enabled: of a switch that nobody has set, how it is.
        """
        state = {
            "enabled": enabled if self.enabled is None else self.enabled,
            "debug": debug if self.debug is None else self.debug,
        }
        return {MSB_STATE: {**state, "error": self.problem or None}}

    @property
    def update(self) -> dict[str, Any]:
        """What services get as ``StateUpdate``: the entries of ``msb-state``, and all that is desired."""
        state = self.desired.get(MSB_STATE)
        switches = {name: getattr(self, name) for name in _SWITCHES if getattr(self, name) is not None}
        return {**(state if isinstance(state, dict) else {}), **switches, "desired": self.desired}


def merged(before: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON merge patch (RFC 7396) applied: objects are merged, null removes. Entries whose names begin with ``$`` are
    the hub's own and left out."""
    after = dict(before)
    for name, value in changes.items():
        if name.startswith("$"):
            continue
        if value is None:
            after.pop(name, None)
        elif isinstance(value, Mapping):
            inner = after.get(name)
            after[name] = merged(inner if isinstance(inner, Mapping) else {}, value)
        else:
            after[name] = value
    return after
