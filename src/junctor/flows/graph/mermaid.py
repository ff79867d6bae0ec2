"""A drawing as Mermaid, for pages that draw it themselves."""

from __future__ import annotations

from collections.abc import Iterator

from junctor.flows.graph.drawing import Box, Drawing, Edge
from junctor.flows.graph.look import mermaid_text as _escaped


def mermaid(drawing: Drawing) -> str:
    """A flowchart from left to right. Requests are dotted and point both ways."""
    names = {box.address: f"s{index}" for index, box in enumerate(drawing.boxes)}
    lines = ["flowchart LR"]
    for index, flow in enumerate(drawing.flows):
        lines.append(f'  subgraph f{index}["{_escaped(flow)}"]')
        lines += [f"    {names[box.address]}{_shape(box)}" for box in drawing.of(flow)]
        lines.append("  end")
    lines += [f"  {_arrow(edge, names)}" for edge in drawing.edges]
    outside = [names[box.address] for box in drawing.boxes if box.outside]
    if outside:
        lines += ["  classDef outside stroke-dasharray:4 3", f"  class {','.join(outside)} outside"]
    return "\n".join(lines)


def _shape(box: Box) -> str:
    """A service that begins by itself has round ends."""
    begins = any(entry.kind in ("schedule", "loop", "route", "socket", "action") for entry in box.entries)
    label = "<br/>".join([_escaped(box.name), *_entries(box)])
    return f'(["{label}"])' if begins else f'["{label}"]'


def _entries(box: Box) -> Iterator[str]:
    for entry in box.entries:
        if entry.kind not in ("handler", "event", "loop"):
            yield f"<small>{_escaped(entry.text)}</small>"


def _arrow(edge: Edge, names: dict[str, str]) -> str:
    label = _escaped(f"{edge.type} → {edge.reply}" if edge.reply else edge.type)
    if edge.when:
        label += f"<br/>when {_escaped(edge.when)}"
    return f'{names[edge.source]} {"<-.->" if edge.reply else "-->"}|"{label}"| {names[edge.to]}'
