"""The operations of a node, one module a topic. Importing this package fills the table."""

from junctor.node.control.operations import calls, capture, change, keeping, node, resend, runs, stored
from junctor.node.control.table import ALL, TABLE, perform

__all__ = ("ALL", "TABLE", "calls", "capture", "change", "keeping", "node", "perform", "resend", "runs", "stored")
