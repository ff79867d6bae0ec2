"""A connection to a database, kept from one message to the next."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, CursorResult, Engine, ExceptionContext, Executable, Table, create_engine, event, exc
from sqlalchemy.pool import NullPool

from junctor.adapters.sql.address import Address
from junctor.adapters.sql.faults import fault_of, text_of
from junctor.adapters.sql.limit import Limit
from junctor.adapters.sql.reading import lenient
from junctor.adapters.sql.reasons import DatabaseAway, StatementFailed
from junctor.adapters.sql.values import weight
from junctor.errors import JunctorError

T = TypeVar("T")

TRUSTED = 0.5
"""Seconds for which a connection that was used is taken to be there; later it is asked first. As in HikariCP."""

_LONGEST = 2**31 - 1
"""Milliseconds that PostgreSQL can count."""

PIECE = 32
"""Rows that are read from a server at once."""

Row = dict[str, Any]


class Database:
    """One connection, made when it is needed and again when it is lost. One thread at a time uses it.

    :param timeout: seconds that connecting, and each statement, may take.
    :param isolation: level of isolation; empty for that of the database.
    """

    def __init__(self, address: Address, timeout: float, isolation: str = "") -> None:
        self.address = address
        self.timeout = timeout
        self.reading = False
        self._isolation = isolation
        self._engine: Engine | None = None
        self._connection: Connection | None = None
        self._file: tuple[int, int] | None = None
        self._raw: Any = None
        self._used = 0.0
        # A server ends a statement after the time-out; if it does not, nobody is there.
        self._limit = Limit(timeout if address.file else 2 * timeout, self._cut)

    @property
    def connected(self) -> bool:
        return self._connection is not None

    @property
    def takes_times(self) -> bool:
        """Whether the driver takes dates and times."""
        return self.address.kind != "sqlite"

    @contextlib.contextmanager
    def transaction(self, reading: bool = False) -> Iterator[Transaction]:
        """Committed at the end, or nothing of it is there.

        :param reading: nothing is written in it.
        :raises DatabaseAway: the database cannot be reached, or is lost meanwhile.
        :raises JunctorError: one of :mod:`.reasons`.
        """
        connection = self._ready()
        self.reading = reading
        try:
            begun = self.call(connection.begin)
            yield Transaction(self, connection)
            self.call(begun.commit)
        except BaseException as error:
            self._undo(connection, lost=isinstance(error, DatabaseAway))
            raise
        self._used = time.monotonic()

    def call(self, what: Callable[..., T], *arguments: Any) -> T:
        """Call something that may wait for the database.

        :raises JunctorError: one of :mod:`.reasons`.
        """
        try:
            with self._limit:
                return what(*arguments)
        except JunctorError:
            raise
        except Exception as error:  # noqa: BLE001 - a driver raises what it likes
            raise self._fault(error) from None

    def close(self) -> None:
        """End the connection."""
        self._drop()
        self._limit.close()
        if self._engine is not None:
            self._engine.dispose()

    # The connection -----------------------------------------------------------------------------------------

    def _ready(self) -> Connection:
        if self._connection is not None and not self._is_there(self._connection):
            self._drop()
        if self._connection is None:
            self._connection = self._connect()
        return self._connection

    def _is_there(self, connection: Connection) -> bool:
        if connection.invalidated or connection.closed:
            return False
        if self.address.file is not None:
            return self._file == _identity(self.address.file)  # the connection still has one that was replaced
        if time.monotonic() - self._used < TRUSTED:
            return True
        try:
            with self._limit:
                return bool(connection.dialect.do_ping(connection.connection.dbapi_connection))  # type: ignore[arg-type]
        except Exception:  # noqa: BLE001 - whatever it is: another connection is made
            return False

    def _connect(self) -> Connection:
        file = self.address.file
        if file is not None and not file.exists():
            raise DatabaseAway(f"there is no file {file}", fix="Make the database, or correct the url.")
        self._file = None if file is None else _identity(file)
        try:
            with self._limit:
                return self._made().connect()
        except Exception as error:  # noqa: BLE001 - a driver raises what it likes
            self._raw = None
            raise self._lost(text_of(getattr(error, "orig", None) or error)) from None

    def _made(self) -> Engine:
        if self._engine is None:
            options: dict[str, Any] = {"isolation_level": self._isolation.upper()} if self._isolation else {}
            self._engine = create_engine(
                self.address.url,
                poolclass=NullPool,
                connect_args=self.address.arguments(self.timeout),
                hide_parameters=True,
                **options,
            )
            event.listen(self._engine, "connect", self._opened)
            event.listen(self._engine, "handle_error", _close_cursor)
            if self.address.kind == "sqlite":
                event.listen(self._engine, "begin", self._begin)
        return self._engine

    def _opened(self, raw: Any, record: object) -> None:
        self._raw = raw
        lenient(raw, self.address.kind)
        if self.address.kind == "sqlite":
            raw.isolation_level = None  # transactions begin where they are said to, not before the first write
        elif self.address.kind == "postgresql":
            milliseconds = min(max(1, round(self.timeout * 1000)), _LONGEST)
            with raw.cursor() as cursor:
                cursor.execute(f"SET statement_timeout = {milliseconds}")
            raw.commit()

    def _begin(self, connection: Connection) -> None:
        """One that is going to write says so: two that read first and then write would wait for each other."""
        self._raw.execute("BEGIN" if self.reading else "BEGIN IMMEDIATE")

    def _undo(self, connection: Connection, lost: bool) -> None:
        if lost or connection.invalidated:
            self._drop()
            return
        try:
            with self._limit:
                connection.rollback()
        except Exception:  # noqa: BLE001 - a connection that cannot roll back is of no use
            self._drop()

    def _drop(self) -> None:
        """Without a word to the other side, which may not listen."""
        connection, self._connection, self._raw = self._connection, None, None
        if connection is not None:
            with contextlib.suppress(Exception):
                connection.invalidate()
            with contextlib.suppress(Exception):
                connection.close()

    # What fails ---------------------------------------------------------------------------------------------

    def _fault(self, error: Exception) -> JunctorError:
        if self._limit.exceeded and self.address.file is None:
            return self._lost(f"no answer within {self._limit.seconds:g} s")
        if self._limit.exceeded:
            return StatementFailed(f"it took longer than {self.timeout:g} s", where=str(self.address))
        fault = fault_of(error)
        if isinstance(error, exc.DBAPIError) and error.connection_invalidated:
            return self._lost(fault.what)
        fault.where = str(self.address)
        return fault

    def _lost(self, what: str) -> DatabaseAway:
        return DatabaseAway(what, where=str(self.address))

    def _cut(self) -> None:
        """End the call that another thread is in."""
        raw = self._raw
        with contextlib.suppress(Exception):
            if self.address.kind == "sqlite":
                raw.interrupt()
            elif hasattr(raw, "fileno"):
                with socket.socket(fileno=os.dup(raw.fileno())) as link:
                    link.shutdown(socket.SHUT_RDWR)


class Transaction:
    """What can be done within one."""

    def __init__(self, database: Database, connection: Connection) -> None:
        self._database = database
        self._connection = connection

    def run(self, statement: Executable, parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] = ()) -> int:
        """Run a statement that gives no rows.

        :param parameters: of one run, or a list with those of each run.
        :return: how many rows it has changed.
        """
        return self._database.call(self._executed, statement, parameters).rowcount

    def rows(self, statement: Executable, parameters: Mapping[str, Any] | None = None, most: int = 0) -> list[Row]:
        """The rows that a statement gives, ``most`` of them at most where that is not 0."""
        return self._database.call(self._read, statement, parameters or {}, most)[0] or []

    def batch(
        self, statement: Executable, parameters: Mapping[str, Any], most: int, size: int
    ) -> tuple[list[Row], bool]:
        """The first rows that a statement gives, and whether these are all: it ends behind ``most`` of them, or one
        row after they have more than ``size`` bytes. Rows that are not wanted are not read from the server."""
        return self._database.call(self._read_batch, statement, parameters, most, size)

    def both(self, statement: Executable, parameters: Mapping[str, Any], most: int) -> tuple[list[Row] | None, int]:
        """The rows that a statement gives, None where it is of a kind that gives none, and how many it has changed."""
        return self._database.call(self._read, statement, parameters, most)

    def make(self, table: Table) -> None:
        """Make a table where it is not there."""
        self._database.call(lambda: table.create(self._connection, checkfirst=True))

    def _executed(self, statement: Executable, parameters: Any) -> CursorResult[Any]:
        return self._connection.execute(statement, parameters or None)

    def _read_batch(self, statement: Executable, parameters: Any, most: int, size: int) -> tuple[list[Row], bool]:
        streamed = {"stream_results": True, "max_row_buffer": PIECE}
        rows: list[Row] = []
        with self._connection.execute(statement, parameters, execution_options=streamed) as result:
            found = result.mappings()
            while len(rows) < most:
                wanted = min(PIECE, most - len(rows)) if size > 0 else 1
                piece = [dict(row) for row in found.fetchmany(wanted)]
                rows += piece
                if not piece:
                    return rows, True
                if size <= 0:
                    break
                size -= sum(map(weight, piece))
        return rows, False

    def _read(self, statement: Executable, parameters: Any, most: int) -> tuple[list[Row] | None, int]:
        result = self._executed(statement, parameters)
        if not result.returns_rows:
            return None, result.rowcount
        found = result.mappings().fetchmany(most) if most else result.mappings().fetchall()
        result.close()
        rows = [dict(row) for row in found]
        return rows, max(result.rowcount, len(rows))


def _close_cursor(context: ExceptionContext) -> None:
    """Where a connection is lost, SQLAlchemy leaves its cursor to the garbage collector, at which psycopg warns."""
    running = context.execution_context
    if context.is_disconnect and running is not None:
        with contextlib.suppress(Exception):
            running.cursor.close()


def _identity(file: Path) -> tuple[int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
