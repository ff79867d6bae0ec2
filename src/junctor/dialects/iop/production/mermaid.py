"""A production as a Mermaid flowchart: services, processes and operations in columns, connections between them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from junctor.dialects.iop.production.graph import GraphEdge, GraphNode, ProductionGraph

_GROUPS = {"service": "Services", "process": "Processes", "operation": "Operations", "component": "Components"}
_DIRECTIONS = ("LR", "RL", "TB", "TD", "BT")
_ESCAPED = {"#": "#35;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "\n": " "}
_SPECIAL = str.maketrans(_ESCAPED)


def to_mermaid(graph: ProductionGraph, direction: str = "LR") -> str:
    """The flowchart.

    :param direction: "LR", "RL", "TB", "TD" or "BT".
    :raises ValueError: it is another one.
    """
    if direction not in _DIRECTIONS:
        raise ValueError(f"direction is one of {', '.join(_DIRECTIONS)}, not {direction!r}")
    ids = _ids([node.name for node in graph.nodes] + [edge.target for edge in graph.edges])
    lines = [f"flowchart {direction}", f"  %% Production: {_one_line(graph.production_name)}"]
    for kind in _GROUPS:
        lines += _group(kind, [node for node in graph.nodes if node.kind == kind], ids)
    known = {node.name for node in graph.nodes}
    missing = dict.fromkeys(edge.target for edge in graph.edges if edge.target not in known)
    lines += [f'  {ids[name]}["{_label(name)}<br/>(unresolved)"]' for name in missing]
    lines += _hints(graph.nodes, ids)
    lines += [_arrow(edge, ids) for edge in sorted(graph.edges, key=_order)]
    return "\n".join(lines)


def _group(kind: str, nodes: list[GraphNode], ids: dict[str, str]) -> list[str]:
    if not nodes:
        return []
    inside = [f"    {ids[node.name]}[{_title(node)}]" for node in nodes]
    return [f'  subgraph group_{kind}["{_GROUPS[kind]}"]', "    direction TB", *inside, "  end"]


def _title(node: GraphNode) -> str:
    off = "" if node.enabled else "<br/>(disabled)"
    return f'"{_label(node.name)}<br/>{_label(node.class_name)}{off}"'


def _hints(nodes: Iterable[GraphNode], ids: dict[str, str]) -> list[str]:
    """Invisible links between the first items of the groups, which keep the columns in order."""
    kinds = [node.kind for node in nodes]
    firsts = [next(node for node in nodes if node.kind == kind) for kind in _GROUPS if kind in kinds]
    return [f"  {ids[one.name]} ~~~ {ids[other.name]}" for one, other in zip(firsts, firsts[1:], strict=False)]


def _order(edge: GraphEdge) -> tuple[str, str, str]:
    return edge.source_item, edge.source_target_setting, edge.target


def _arrow(edge: GraphEdge, ids: dict[str, str]) -> str:
    label = f'"{_label(edge.source_target_setting)}"'
    start = "<--" if edge.interaction == "sync" else "--"
    text = f"{start} {label} -->" if edge.source_target_setting else f"{'<-->' if start == '<--' else '-->'}"
    return f"  {ids[edge.source_item]} {text} {ids[edge.target]}"


def _ids(names: Iterable[str]) -> dict[str, str]:
    """A name that Mermaid takes for each item; two items never have the same."""
    ids: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        if name in ids:
            continue
        base = made = f"node_{re.sub(r'[^A-Za-z0-9_]', '_', name)}"
        number = 2
        while made in taken:
            made, number = f"{base}_{number}", number + 1
        ids[name] = made
        taken.add(made)
    return ids


def _label(text: str) -> str:
    return text.translate(_SPECIAL)


def _one_line(text: str) -> str:
    return " ".join(text.split())
