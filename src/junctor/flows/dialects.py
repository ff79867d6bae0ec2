"""Dialects: what turns the classes of another framework into specs. Found by entry point, loaded when one is met.

A class says by its attribute ``__junctor_dialect__`` whose it is; its base class has it. So a flow takes classes of a
dialect where it takes services, and knows of none by itself.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Protocol

from junctor.core.policy import Policies
from junctor.core.spec import ServiceSpec
from junctor.settings import Setting

if TYPE_CHECKING:
    from junctor.flows.model import FlowModel

GROUP = "junctor.dialects"
"""The group of entry points; the name of one is the name of its dialect, and what it names is a :class:`Dialect`."""

MARK = "__junctor_dialect__"
"""The attribute by which a class names its dialect."""


class Dialect(Protocol):
    """What a dialect offers to flows."""

    def default_name(self, cls: type) -> str:
        """The name that a service of this class has when its flow gives none."""
        ...

    def policies(self, cls: type) -> Policies:
        """The policies that it has when its flow says nothing."""
        ...

    def settings(self, cls: type) -> Mapping[str, tuple[Setting, Any]]:
        """The settings of the class, each with its type."""
        ...

    def spec(
        self, cls: type, name: str, *, settings: Mapping[str, Any], places: Mapping[str, str] | None
    ) -> ServiceSpec:
        """The spec of a service of this class.

        :param settings: values by name, also as text.
        :param places: where a setting was written, for errors.
        :raises ConfigurationError: the class or a setting cannot be used.
        """
        ...

    def flow(self, module: types.ModuleType) -> FlowModel | None:
        """The flow that a module composes in the words of the dialect; None where it does not.

        :raises ConfigurationError: it does, and something is wrong.
        """
        ...

    def load(self, text: str) -> FlowModel:
        """The flow that ``DIALECT:text`` stands for on a command line.

        :raises ConfigurationError: there is none.
        """
        ...


def dialect_of(source: Any) -> Dialect | None:
    """The dialect of a class; None for the services of Junctor itself, and for all that is no class."""
    name = mark_of(source)
    return dialect(name) if name else None


def mark_of(source: Any) -> str:
    """The name of the dialect of a class; empty for all else."""
    name = getattr(source, MARK, "") if isinstance(source, type) else ""
    return name if isinstance(name, str) else ""


@functools.lru_cache(maxsize=16)
def dialect(name: str) -> Dialect | None:
    """The dialect of this name; None where none is installed."""
    found = next(iter(entry_points(group=GROUP, name=name)), None)
    return None if found is None else found.load()


def dialect_names() -> set[str]:
    """The names of all that are installed."""
    return set(entry_points(group=GROUP).names)
