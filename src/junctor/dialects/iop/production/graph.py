"""A production as a graph: its items and who sends to whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class GraphNode:
    """One item. ``kind`` is "service", "process", "operation", or "component" where the class is only a name."""

    name: str
    class_name: str
    kind: str = "component"
    enabled: bool = True
    category: str = ""
    adapter_class_name: str = ""


@dataclass(frozen=True)
class GraphEdge:
    """One connection. ``interaction`` is "sync" where the class sends there and waits, else "request"."""

    source_item: str
    target: str
    source_target_setting: str
    origin: str = "authored"
    interaction: str = "request"
    metadata: Mapping[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class ProductionGraph:
    """All items and connections; ``warnings`` names connections that lead to no item. Its text is a tree::

    Demo.Production
      FileInput [Python.demo.FileService]
        Output -> OrderOperation
      OrderOperation [Python.demo.OrderOperation]
    """

    production_name: str
    nodes: tuple[GraphNode, ...] = ()
    edges: tuple[GraphEdge, ...] = ()
    warnings: tuple[str, ...] = ()

    def node(self, name: str) -> GraphNode | None:
        """The item of this name."""
        return next((node for node in self.nodes if node.name == name), None)

    def edges_from(self, name: str) -> tuple[GraphEdge, ...]:
        """The connections of one item."""
        return tuple(edge for edge in self.edges if edge.source_item == name)

    def to_dict(self) -> dict[str, Any]:
        """The graph as plain values."""
        return {
            "production": self.production_name,
            "nodes": [vars(node) for node in self.nodes],
            "edges": [dict(vars(edge)) for edge in self.edges],
            "warnings": list(self.warnings),
        }

    def to_text(self) -> str:
        """The tree."""
        lines = [self.production_name]
        for node in self.nodes:
            lines.append(f"  {node.name} [{node.class_name}]")
            lines += [f"    {self._line(edge)}" for edge in self.edges_from(node.name)]
        return "\n".join(lines)

    __str__ = to_text

    def _line(self, edge: GraphEdge) -> str:
        missing = "" if self.node(edge.target) is not None else " (unresolved)"
        return f"{edge.source_target_setting} -> {edge.target}{missing}".lstrip()
