"""Flows: the model, its wiring, and loading what a user names."""

from junctor.flows.code.source import flow_name, flow_of_module, load, loading
from junctor.flows.model import FlowModel, Item
from junctor.flows.overrides import FlowSource, Overrides
from junctor.flows.wiring import Connection, Examined, Wiring, examine, wire, wire_all

__all__ = (
    "Connection",
    "Examined",
    "FlowModel",
    "FlowSource",
    "Item",
    "Overrides",
    "Wiring",
    "examine",
    "flow_name",
    "flow_of_module",
    "load",
    "loading",
    "wire",
    "wire_all",
)
