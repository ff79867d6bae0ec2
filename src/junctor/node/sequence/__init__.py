"""A trace as a sequence: one column a service, time running down, an arrow for each message; as text, Mermaid, SVG."""

from junctor.node.sequence.mermaid import mermaid
from junctor.node.sequence.model import Column, Remark, Sequence, Step, sequence_of
from junctor.node.sequence.svg import svg
from junctor.node.sequence.text import needed, text

__all__ = ("Column", "Remark", "Sequence", "Step", "mermaid", "needed", "sequence_of", "svg", "text")
