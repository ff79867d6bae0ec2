"""The settings of ``sql-in``, and what of them does not fit together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from junctor.adapters.base import Inbound
from junctor.adapters.records import checked_fields
from junctor.adapters.sql.adapter import SqlAdapter
from junctor.core.expressions import Expression
from junctor.errors import SettingError
from junctor.settings import Duration, setting

if TYPE_CHECKING:
    from junctor.adapters.sql.selection import Source

MIB = 1024 * 1024

Start = str | int | list[str | int]


class SqlInSettings(SqlAdapter, Inbound):
    """What ``sql-in`` is told."""

    # Which rows
    table: str = setting("", doc="The table or view, with its schema where it has one")
    columns: list[str] = setting([], doc="Which columns of the table; all by default")
    query: str = setting("", doc="A select in the place of a table; :cursor in it is where the last look has ended")
    # New ones by a cursor
    cursor: list[str] = setting(
        [], doc="Columns that only grow, as id, or changed, id: rows above the last ones are new"
    )
    start: Start = setting("beginning", doc="Where the first look begins: beginning, now, or a value of each column")
    lag: Duration = setting("0s", ge=0, doc="How long rows may be committed after rows with a higher cursor")
    # New ones by a status
    status: str = setting("", doc="The column that says whether a row was sent; it is written when it was")
    new: str | int | bool | None = setting("new", doc="Its value in rows to be sent; null for NULL")
    done: str | int | bool | None = setting("done", doc="Its value in rows that were sent; null for NULL")
    claim: str | int = setting("", doc="Its value in rows of this node alone, where several nodes look at the table")
    delete: bool = setting(False, doc="Whether rows that were sent are deleted")
    id: list[str] = setting([], doc="Columns that identify a row, for status, delete and once; the cursor by default")
    order: list[str] = setting([], doc="Columns by which rows of a status are sent in order; those of id by default")
    # Messages
    batch: int = setting(500, ge=1, le=10_000, doc="How many rows are committed together, with the cursor")
    batch_bytes: int = setting(MIB, ge=1, unit="bytes", doc="Bytes after which a batch ends earlier")
    decimals: Literal["text", "number"] = setting(
        "text", doc="What a decimal becomes: text with all its digits, or a number"
    )
    type: str = setting("", doc="The type of the messages, where the receiver takes several")
    key: Expression | None = setting(None, doc="Key of the messages, of body")
    once: bool = setting(False, doc="Whether a row that comes again, by its id, is refused")

    def check_settings(self) -> None:
        """Refuse what does not fit together."""
        super().check_settings()
        self.address()
        if bool(self.table) == bool(self.query):
            raise SettingError("rows come either from a table or a query", where="table", fix="Write table: orders.")
        if bool(self.cursor) == bool(self.status or self.delete):
            fix = "Write cursor: [id], or status: state, or delete: true."
            raise SettingError("new rows are told either by a cursor, or by status or delete", where="cursor", fix=fix)
        self._check_cursor() if self.cursor else self._check_status()
        if self.query and self.columns:
            raise SettingError("a query names its columns itself", where="columns", fix="Leave it out.")
        if self.key is not None:
            checked_fields({"key": self.key}, "key", "body")
        self.source()

    def _check_cursor(self) -> None:
        for name in ("claim", "order"):
            if getattr(self, name):
                raise SettingError("it goes with status or delete", where=name, fix="Leave it out.")
        self.first()

    def _check_status(self) -> None:
        if self.query:
            fix = "Name the table: rows are marked there."
            raise SettingError("a query has no rows that could be marked", where="query", fix=fix)
        if not self.id:
            raise SettingError("nothing tells which row to mark", where="id", fix="Name its key: id: [id].")
        for name in ("claim",):
            if getattr(self, name) != "" and not self.status:
                raise SettingError("it is a value of status", where=name, fix="Name the column: status: state.")
        if self.status and not self.delete and self.new == self.done:
            raise SettingError("it is the same as new", where="done", fix="Give another value, or delete: true.")
        if self.claim != "" and self.claim in (self.new, self.done):
            raise SettingError("it is a value that rows have otherwise", where="claim", fix="Give one of its own.")
        for name in ("start", "lag"):
            if getattr(self, name) not in ("beginning", 0.0):
                raise SettingError("it goes with cursor", where=name, fix="Leave it out.")

    def first(self) -> list[str | int] | Literal["beginning", "now"]:
        """Where the first look begins.

        :raises SettingError: it does not fit the cursor, or the query.
        """
        if self.start == "beginning" or self.start == "now":
            if self.source().wants_cursor:
                what = f"nobody can say what :cursor is at {self.start}"
                raise SettingError(what, where="start", fix="Give a value: start: 0; or leave :cursor out.")
            return self.start  # type: ignore[return-value]
        values = self.start if isinstance(self.start, list) else [self.start]
        if len(values) != len(self.cursor):
            what = f"it has {len(values)} values for {len(self.cursor)} columns"
            raise SettingError(what, where="start", fix="Give a list with a value for each column of cursor.")
        return values

    def source(self) -> Source:
        """Where rows are selected from.

        :raises SettingError: the query cannot be used.
        """
        from junctor.adapters.sql.selection import Source

        return Source.of(self.table, self.columns, self.query, self.cursor)
