"""Flows as drawings: as text, as Mermaid, as SVG."""

from junctor.flows.graph.drawing import Box, Drawing, Edge, Entry, drawing_of
from junctor.flows.graph.mermaid import mermaid
from junctor.flows.graph.svg import svg
from junctor.flows.graph.text import text

__all__ = ("Box", "Drawing", "Edge", "Entry", "drawing_of", "mermaid", "svg", "text")
