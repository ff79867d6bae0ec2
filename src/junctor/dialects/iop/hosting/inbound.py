"""Inbound adapters: what calls a business service every few seconds."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from typing import Any

from junctor.dialects.iop.components import InboundAdapter, OutboundAdapter
from junctor.dialects.iop.components.info import adapter_type
from junctor.dialects.iop.hosting.item import Item

PLAIN = ("Ens.InboundAdapter", "Ens.OutboundAdapter", "Ens.Adapter")
"""Adapters of InterSystems IRIS that do nothing but call their host."""


def adapter_name(item: Item) -> str | None:
    """The name of the adapter that an item has, None for none: of its definition, else of its class."""
    own = item.definition.adapter_class_name or (adapter_type(item.component) if item.component is not None else None)
    return own or None


def adapter_class(item: Item, classes: Callable[[str], type] | None) -> tuple[type | None, str]:
    """The adapter of an item as a class in Python, and what is wrong with it.

    :param classes: finds a class by its registered name; None where nothing is registered.
    """
    name = adapter_name(item)
    if name is None or name in PLAIN:
        return None, ""
    if name.startswith(("Ens.", "EnsLib.", "EnsPortal.")):
        return None, f"the adapter {name} is not offered yet"
    found = _beside(item.component, name)
    if found is None and classes is not None:
        found = classes(name)
    if found is None:
        return None, f"there is no adapter {name}"
    if not issubclass(found, InboundAdapter | OutboundAdapter):
        return (
            None,
            f"{name} is no adapter: {found.__qualname__} is derived from neither InboundAdapter nor OutboundAdapter",
        )
    return found, ""


def _beside(component: type | None, name: str) -> type | None:
    """An adapter of that name in the module of the component."""
    module = sys.modules.get(component.__module__) if component is not None else None
    found = getattr(module, name.rpartition(".")[2], None)
    return found if isinstance(found, type) and issubclass(found, InboundAdapter | OutboundAdapter) else None


class HostHandle:
    """What an inbound adapter in Python knows as ``business_host``: the way into its service."""

    def __init__(self, service: Any) -> None:
        self._service = service

    def ProcessInput(self, message_input: Any = None, *_: Any) -> Any:
        """Call ``on_process_input`` of the service."""
        return entered(self._service, message_input)

    OnProcessInput = ProcessInput
    on_process_input = ProcessInput


def entered(service: Any, message_input: Any = None) -> Any:
    """Call ``on_process_input``, also where it takes no input."""
    call = service.on_process_input
    return call(message_input) if inspect.signature(call).parameters else call()
