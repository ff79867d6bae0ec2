"""What a job is: the sides that are measured, and what their figures should reach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

SIDES = "benchmarks.sides."


class Compare(Enum):
    """How an aim reads a figure."""

    AT_LEAST = "at least"
    AT_LEAST_RATIO = "engine / bare at least"
    BELOW = "below"
    BELOW_OVER_BARE = "below, over bare"


@dataclass(frozen=True)
class Figure:
    """One number a side returns, and its aim."""

    name: str
    unit: str
    compare: Compare
    limit: float


@dataclass(frozen=True)
class Side:
    """A function in ``benchmarks.sides``, named ``module:function``."""

    name: str
    call: str


@dataclass(frozen=True)
class Job:
    name: str
    does: str
    figures: tuple[Figure, ...]
    bare: Side
    engines: tuple[Side, ...]
    params: Mapping[str, Any] = field(default_factory=dict)
    quick: Mapping[str, Any] = field(default_factory=dict)  # what --quick changes in params
    prepare: str = ""  # run once before the rounds; its folder is params["prepared"]
    max_rounds: int = 99  # jobs whose rounds are slow and steady need fewer

    @property
    def sides(self) -> tuple[Side, ...]:
        return (self.bare, *self.engines)

    def parameters(self, quick: bool) -> dict[str, Any]:
        return {**self.params, **(self.quick if quick else {})}


def side(name: str, call: str) -> Side:
    """The side whose function is ``call`` below ``benchmarks.sides``."""
    return Side(name, SIDES + call)
