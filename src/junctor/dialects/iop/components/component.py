"""What all components have in common: hooks and logging."""

from __future__ import annotations

from typing import Any, ClassVar

from junctor.dialects.iop.components.door import Door, OutsideNode


class Component:
    """Base of hosts and adapters. As in InterSystems IRIS, ``__init__`` is never called: ``on_init`` is what prepares
    a component."""

    INFO_URL: ClassVar[str] = ""
    ICON_URL: ClassVar[str] = ""

    _door: Door = OutsideNode()

    def on_connected(self) -> Any:
        """Called before ``on_init``; an error here is only logged."""

    def on_init(self) -> Any:
        """Called when the component becomes active; an error here keeps it from that."""

    def on_tear_down(self) -> Any:
        """Called when the component becomes inactive. ``on_teardown`` is called as well."""
