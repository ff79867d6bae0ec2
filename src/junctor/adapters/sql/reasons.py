"""What a database says no with, by what follows from it."""

from __future__ import annotations

from collections.abc import Mapping

from junctor.adapters.base import OUTAGES
from junctor.core.policy import Reaction, Waits
from junctor.errors import JunctorError


class DatabaseAway(JunctorError):
    """A database cannot be reached, does not let the service in, or cannot work: the message waits."""

    code = "database-away"
    default_fix = "It is tried again until the database is there."


class StatementUnusable(JunctorError):
    """A database does not take a statement whatever the values are: a table is missing, or a permission. The message
    waits."""

    code = "statement-unusable"
    default_fix = "Correct the statement, or the database; then it goes on by itself."


class StatementFailed(JunctorError):
    """A statement failed that may succeed another time: a deadlock, a lock, a time limit. It is tried again."""

    code = "statement-failed"
    default_fix = "It is tried again."


class DataRefused(JunctorError):
    """A database does not take the values of a message, or it lacks one: the message is parked."""

    code = "data-refused"
    default_fix = "Correct the message and send it again."


OUTBOUND: Mapping[str, Reaction | Waits] = {
    **OUTAGES,
    "DatabaseAway": "hold",
    "StatementUnusable": "hold",
    "StatementFailed": "retry",
    "DataRefused": "park",
}
"""What becomes of a message."""

INBOUND: Mapping[str, Reaction | Waits] = {
    **OUTAGES,
    "DatabaseAway": "hold",
    "StatementUnusable": "hold",
    "StatementFailed": "hold",
    "DataRefused": "hold",
}
"""A look at a table has no message that could be at fault: whatever happens, it is tried again."""
