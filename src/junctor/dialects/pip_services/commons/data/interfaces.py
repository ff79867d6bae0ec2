"""Marks of stored things: what has an id, a name, a version, times of change. Nothing here has behaviour."""

from __future__ import annotations

import copy
from abc import ABC
from datetime import datetime
from typing import Any, Self


class IIdentifiable(ABC):
    id: Any


class IStringIdentifiable(IIdentifiable):
    id: Any = None


class INamed(ABC):  # noqa: B024
    name: str | None = None


class IVersioned(ABC):  # noqa: B024
    version: str | None = None


class IChangeable(ABC):  # noqa: B024
    change_time: datetime | None = None


class ITrackable(IChangeable):
    create_time: datetime | None = None
    deleted: bool | None = None


class ICloneable:
    def clone(self) -> Self:
        """A copy that shares nothing with this one."""
        return copy.deepcopy(self)
