"""Items and routes of a production that is declared as a class."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar


@dataclass(frozen=True, eq=False)
class Route:
    """A connection: a target setting of the item, and where it leads.

    ``target_setting`` is its name, or the attribute of the class, ``MyService.Output``. ``targets`` is the name of an
    item, an item, or several of them.
    """

    target_setting: Any
    targets: Any

    @property
    def setting(self) -> str:
        """The name of the target setting."""
        return str(self.target_setting if isinstance(self.target_setting, str) else self.target_setting.name)


@dataclass(frozen=True, eq=False)
class ComponentItem:
    """An item of any kind. Its name is that of its class where none is given.

    ``settings`` and ``host_settings`` are both those of its class. ``other_settings`` are by target, then by name.
    """

    kind: ClassVar[str] = "component"

    name: str = ""
    component: type | None = None
    class_name: str = ""
    adapter_class: type | None = None
    adapter_class_name: str = ""
    enabled: bool = True
    pool_size: int = 1
    category: str = ""
    foreground: bool = False
    comment: str = ""
    log_trace_events: bool = False
    schedule: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    host_settings: Mapping[str, Any] = field(default_factory=dict)
    adapter_settings: Mapping[str, Any] = field(default_factory=dict)
    other_settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    routes: Iterable[Route] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise TypeError(f"{type(self).__name__}: the name comes first; got {self.name!r}")
        own = {**(self.settings or {}), **(self.host_settings or {})}
        for route in self.routes:
            if not isinstance(route, Route):
                raise TypeError(f"{self.title}: routes are Route(...), not {type(route).__name__}")
            if route.setting in own:
                raise ValueError(f"{self.title}: {route.setting} is in the settings and in the routes; keep the route")

    @property
    def title(self) -> str:
        """The name of the item."""
        return self.name or (self.component.__name__ if self.component is not None else self.class_name)


class ServiceItem(ComponentItem):
    """A business service."""

    kind = "service"


class ProcessItem(ComponentItem):
    """A business process."""

    kind = "process"


class OperationItem(ComponentItem):
    """A business operation."""

    kind = "operation"


PLACES: dict[str, type[ComponentItem]] = {
    "services": ServiceItem,
    "processes": ProcessItem,
    "operations": OperationItem,
    "components": ComponentItem,
}
"""The attributes of a declared production that hold items, each with the class of its items."""


def declared_items(cls: type) -> list[ComponentItem]:
    """The items of a production that is declared as a class, in the order of the attributes.

    :raises TypeError: one stands under an attribute of another kind.
    """
    found: list[ComponentItem] = []
    for place, kind in PLACES.items():
        items = getattr(cls, place, ())
        for item in (items,) if isinstance(items, ComponentItem) else tuple(items):
            if not isinstance(item, kind):
                raise TypeError(f"{cls.__name__}.{place} holds {kind.__name__}(...), not {type(item).__name__}")
            found.append(item)
    return found
