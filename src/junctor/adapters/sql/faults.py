"""What an exception of a driver means for the message."""

from __future__ import annotations

import re
import sqlite3
from typing import Any

from sqlalchemy import exc

from junctor.adapters.sql.reasons import DatabaseAway, DataRefused, StatementFailed, StatementUnusable
from junctor.errors import JunctorError

_Kind = type[JunctorError]

# SQLSTATE, PostgreSQL documentation, appendix A; the class is the first two characters, the longest match wins.
_STATES: dict[str, _Kind] = {
    "08": DatabaseAway,  # connection
    "0A": StatementUnusable,  # not supported
    "21": DataRefused,  # more rows than one
    "22": DataRefused,  # data
    "23": DataRefused,  # constraints
    "25006": DatabaseAway,  # a standby takes no writes
    "26": StatementFailed,
    "28": DatabaseAway,  # who connects
    "3D": DatabaseAway,  # no such database
    "40": StatementFailed,  # serialization, deadlock
    "40002": DataRefused,  # a constraint that is looked at in the end
    "42": StatementUnusable,  # syntax, names, permissions
    "44": DataRefused,  # check option of a view
    "53": DatabaseAway,  # connections, disk, memory
    "54": StatementUnusable,  # too complex
    "55": StatementFailed,  # locks
    "57": DatabaseAway,  # shut down
    "57014": StatementFailed,  # time limit
    "58": DatabaseAway,  # disk
    "P0": DataRefused,  # raised by a trigger
}

# https://sqlite.org/rescode.html, primary codes
_CODES: dict[int, _Kind] = {
    sqlite3.SQLITE_ERROR: StatementUnusable,
    sqlite3.SQLITE_AUTH: StatementUnusable,
    sqlite3.SQLITE_SCHEMA: StatementUnusable,
    sqlite3.SQLITE_BUSY: StatementFailed,
    sqlite3.SQLITE_LOCKED: StatementFailed,
    sqlite3.SQLITE_INTERRUPT: StatementFailed,
    sqlite3.SQLITE_PROTOCOL: StatementFailed,
    sqlite3.SQLITE_PERM: DatabaseAway,
    sqlite3.SQLITE_READONLY: DatabaseAway,
    sqlite3.SQLITE_CANTOPEN: DatabaseAway,
    sqlite3.SQLITE_IOERR: DatabaseAway,
    sqlite3.SQLITE_FULL: DatabaseAway,
    sqlite3.SQLITE_NOTADB: DatabaseAway,
    sqlite3.SQLITE_CORRUPT: DatabaseAway,
    sqlite3.SQLITE_NOMEM: DatabaseAway,
    sqlite3.SQLITE_CONSTRAINT: DataRefused,
    sqlite3.SQLITE_MISMATCH: DataRefused,
    sqlite3.SQLITE_TOOBIG: DataRefused,
}

# Any other driver, by the classes of PEP 249.
_CLASSES: tuple[tuple[type[Exception], _Kind], ...] = (
    (exc.IntegrityError, DataRefused),
    (exc.DataError, DataRefused),
    (exc.ProgrammingError, StatementUnusable),
    (exc.NotSupportedError, StatementUnusable),
    (exc.InterfaceError, DatabaseAway),
    (exc.DBAPIError, StatementFailed),
)

LONGEST = 500
"""Characters of what a database says."""

# What libpq says before it says why: the address, which stands before it already.
_PREFACE = re.compile(r'^connection failed: connection to server at "[^"]*"(?: \([^)]*\))?, port \d+ failed: ')


def fault_of(error: Exception) -> JunctorError:
    """The error that says what follows, for one that came from SQLAlchemy or a driver. The values of the message are
    not in its text, but for what the database itself says."""
    original = getattr(error, "orig", None) or error
    return _kind_of(error, original)(text_of(original))


def text_of(error: BaseException) -> str:
    """What the database says, in one line. Details and hints of PostgreSQL have whole rows in them."""
    primary = getattr(getattr(error, "diag", None), "message_primary", None)
    said = " ".join(str(primary or error).split())
    return _PREFACE.sub("", said)[:LONGEST] or type(error).__name__


def _kind_of(error: Exception, original: BaseException) -> _Kind:
    state = getattr(original, "sqlstate", None)
    if isinstance(state, str):
        return _STATES.get(state) or _STATES.get(state[:2]) or StatementFailed
    code = getattr(original, "sqlite_errorcode", None)
    if isinstance(code, int):
        return _CODES.get(code & 0xFF, StatementFailed)
    if isinstance(error, exc.DBAPIError):
        return DatabaseAway if error.connection_invalidated else _by_class(error)
    return DataRefused if _is_about_values(original) else StatementFailed


def _by_class(error: Any) -> _Kind:
    return next(meaning for kind, meaning in _CLASSES if isinstance(error, kind))


def _is_about_values(error: BaseException) -> bool:
    """Half a surrogate pair, a number that is too large: the driver says so before the database is asked."""
    return isinstance(error, (ValueError, TypeError, OverflowError))
