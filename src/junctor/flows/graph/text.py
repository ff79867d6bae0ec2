"""A drawing as lines of text."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from junctor.flows.graph.drawing import Box, Drawing, Edge

Style = Callable[[str, str], str]
"""From a text and what it is ("flow", "service", "type", "entry", "when") to the text as it is shown."""


def plain(text: str, what: str) -> str:
    return text


def text(drawing: Drawing, style: Style = plain) -> str:
    """A tree: flows, their services with what enters them, and where each target leads.

    :param style: gives parts their colours.
    """
    lines: list[str] = []
    for flow in drawing.flows:
        boxes = [box for box in drawing.of(flow) if not box.outside]
        if boxes:
            lines += [style(flow, "flow"), *(line for box in boxes for line in _box(drawing, box, style))]
    return "\n".join(lines)


def _box(drawing: Drawing, box: Box, style: Style) -> Iterator[str]:
    entries = [_entry(entry.kind, entry.text, entry.name) for entry in box.entries]
    if box.pool > 1:
        entries.append(f"pool {box.pool}")
    yield f"  {style(box.name, 'service')}" + (f"  {style(', '.join(entries), 'entry')}" if entries else "")
    edges = drawing.leaving(box)
    width = max((len(edge.port) for edge in edges), default=0)
    wide = max((len(_to(edge, box)) for edge in edges), default=0)
    last = ""
    for edge in edges:
        port = edge.port if edge.port != last else ""
        last = edge.port
        arrow = "<=>" if edge.reply else "-->"
        carries = f"{edge.type} => {edge.reply}" if edge.reply else edge.type
        condition = f"  {style('when ' + edge.when, 'when')}" if edge.when else ""
        yield f"    {port:{width}} {arrow} {_to(edge, box):{wide}}  {style(carries, 'type')}{condition}"


def _to(edge: Edge, box: Box) -> str:
    """The other end: its name within the same flow, else its address."""
    return edge.to.removeprefix(f"{box.flow}/")


def _entry(kind: str, text: str, name: str) -> str:
    if kind == "schedule":
        return f"{text} ({name})"
    if kind == "action":
        return f"action {text}"
    if kind in ("handler", "event"):
        return f"{'takes' if kind == 'handler' else 'subscribes to'} {text}"
    return text
