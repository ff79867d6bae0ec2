"""A session as one file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from junctor.node.capture.file import Capture
from junctor.node.capture.making import capture_of
from junctor.node.control.table import operation

if TYPE_CHECKING:
    from junctor.node.node import Node


@operation("capture", permission="read")
async def capture(node: Node, which: str) -> Capture:
    """A session, or that of a message, with all that a replay of it needs; without secrets."""
    return await capture_of(node, which)
