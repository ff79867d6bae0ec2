"""Dialects: what turns the classes of another framework into specs. Found by entry point, loaded when one is met.

A class says by its attribute ``__junctor_dialect__`` whose it is; its base class has it. So a flow takes classes of a
dialect, and objects of such classes, where it takes services, and knows of none by itself.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Collection, Iterable, Mapping
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Protocol

from junctor.core.policy import Policies
from junctor.core.spec import ServiceSpec
from junctor.settings import Setting

if TYPE_CHECKING:
    from junctor.flows.model import FlowModel, Item

GROUP = "junctor.dialects"
"""The group of entry points; the name of one is the name of its dialect, and what it names is a :class:`Dialect`."""

MARK = "__junctor_dialect__"
"""The attribute by which a class names its dialect."""


class Dialect(Protocol):
    """What a dialect offers to flows. A ``source`` is a class of the dialect, or an object that stands for a service of
    it: an item of a production."""

    def default_name(self, source: Any) -> str:
        """The name that the service has when its flow gives none."""
        ...

    def component(self, source: Any) -> type | None:
        """The class that the service is made of; None where there is none."""
        ...

    def policies(self, source: Any) -> Policies:
        """The policies that it has when its flow and its settings say nothing."""
        ...

    def settings(self, source: Any) -> Mapping[str, tuple[Setting, Any]]:
        """Its settings, each with its type."""
        ...

    def spec(
        self, source: Any, name: str, *, settings: Mapping[str, Any], places: Mapping[str, str] | None
    ) -> ServiceSpec:
        """The spec of the service. Its policies may follow from settings; what the flow says comes before them.

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


class Accompanied(Protocol):
    """What a dialect offers beside :class:`Dialect` whose services expect others in their flow."""

    def companions(self, names: Collection[str]) -> Iterable[Item]:
        """The services that a flow has beside those that it names, where it has one of this dialect.

        :param names: of the services that it names, enabled or not.
        """
        ...


def companions_of(items: Iterable[Item], names: Collection[str]) -> Iterable[Item]:
    """What the dialects of these services add to their flow."""
    for name in sorted({mark_of(item.source) for item in items} - {""}):
        companions = getattr(dialect(name), "companions", None)
        if companions is not None:
            yield from companions(names)


def dialect_of(source: Any) -> Dialect | None:
    """The dialect of a class or of an object of one; None for the services of Junctor itself, and for all else."""
    name = mark_of(source)
    return dialect(name) if name else None


def mark_of(source: Any) -> str:
    """The name of the dialect of a class or of an object of one; empty for all else."""
    name = getattr(source if isinstance(source, type) else type(source), MARK, "")
    return name if isinstance(name, str) else ""


@functools.lru_cache(maxsize=16)
def dialect(name: str) -> Dialect | None:
    """The dialect of this name; None where none is installed."""
    found = next(iter(entry_points(group=GROUP, name=name)), None)
    return None if found is None else found.load()


def dialect_names() -> set[str]:
    """The names of all that are installed."""
    return set(entry_points(group=GROUP).names)
