"""``sql-out``: statements for each message."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from junctor.adapters.base import Outbound
from junctor.adapters.records import Fields, checked_fields, filled, reader_of
from junctor.adapters.sql.adapter import SqlAdapter
from junctor.adapters.sql.reasons import OUTBOUND, DataRefused, StatementUnusable
from junctor.adapters.sql.wording import Statement, statement_of
from junctor.core.expressions import Expression, Variables, of_message
from junctor.core.policy import Policies, RetryPolicy
from junctor.errors import SettingError
from junctor.messages import Kind
from junctor.services import Target, handler
from junctor.settings import setting

if TYPE_CHECKING:
    from junctor.adapters.sql.once import Once
    from junctor.adapters.sql.statements import Carried, Prepared

_SEEN = ("body", "headers", "key", "type", "message", "now")
_Values = dict[str, Any] | list[dict[str, Any]]


class SqlOut(SqlAdapter, Outbound):
    """Runs statements for each message, in one transaction.

    A statement has named parameters, which are fields of the body or expressions; values never become part of its
    text. A request is answered with the rows that it gives, which also go to ``out`` where that is connected. With
    ``once`` a message that comes again, after a kill or a lost connection, changes nothing a second time::

        orders-out:
          adapter: sql-out
          settings:
            url: postgresql://shop@localhost/shop
            statement: insert into orders (id, customer, total) values (:id, :customer, :total)
            parameters: {total: body.price * body.count}
            once: junctor_done
            create: true
          pool: 4
    """

    __junctor_policies__ = Policies(retry=RetryPolicy(on=OUTBOUND))

    out: Target[Any] | None
    statement: str = setting("", doc="The statement, with :name where values go; a select gives rows")
    parameters: dict[str, Expression] = setting({}, doc="Its parameters as expressions; others are fields of the body")
    each: Expression | None = setting(None, doc="A list: the statement is run for each element, which is body then")
    rows: int | None = setting(None, ge=0, doc="How many rows it must change or find; else it is undone and parked")
    statements: list[dict[str, Any]] = setting(
        [], doc="Several statements in one transaction, each with the four settings above"
    )
    once: str = setting("", doc="A table that keeps the key of each message, in the same transaction: exactly once")
    create: bool = setting(False, doc="Whether the table of once is made where it is not there")
    answer: Literal["auto", "rows", "row", "count"] = setting(
        "auto", doc="What is replied and sent: rows, the first row, or a count; auto: rows where there may be some"
    )
    fields: Fields = setting({}, doc="Fields of what is replied and sent, of response.rows, response.count and body")
    limit: int = setting(10_000, ge=1, doc="How many rows a statement may give; more park the message")
    type: str = setting("", doc="Name of the type that is sent to out, where the receiver takes several")

    _once: Once | None = None
    _prepared: list[Prepared] | None = None

    # Settings -----------------------------------------------------------------------------------------------

    def check_settings(self) -> None:
        """Refuse what does not fit together."""
        super().check_settings()
        self.address()
        if bool(self.statement) == bool(self.statements):
            fix = "Write one of them: statement: insert into orders values (:id)."
            raise SettingError("there is either statement or statements", where="statement", fix=fix)
        for name in ("parameters", "each", "rows"):
            if self.statements and getattr(self, name):
                raise SettingError("it belongs to statement", where=name, fix="Write it beside one of the statements.")
        self._ready_statements()
        for where, one in self._written():
            checked_fields(one.parameters, "parameters" if self.statement else where, *_SEEN)
            if one.each is not None:
                checked_fields({"each": one.each}, "each" if self.statement else where, *_SEEN)
        checked_fields(self.fields, "fields", *_SEEN, "response")
        if self.create and not self.once:
            raise SettingError("there is no table to make", where="create", fix="Name it: once: junctor_done.")

    def _written(self) -> Iterator[tuple[str, Statement]]:
        if self.statement:
            yield "statement", Statement(self.statement, self.parameters, self.each, self.rows)
        for number, one in enumerate(self.statements, 1):
            yield "statements", statement_of(one, number)

    def _ready_statements(self) -> list[Prepared]:
        from junctor.adapters.sql.statements import prepared

        return prepared(self._written())

    def on_start(self) -> None:
        self._prepared = self._ready_statements()
        if self.once:
            from junctor.adapters.sql.once import Once

            self._once = Once(self.once)
        self._made = not self.create

    # Messages -----------------------------------------------------------------------------------------------

    @handler
    def put(self, body: Any) -> Any:
        """Run the statements for a message."""
        seen = of_message(self.message, body)
        if self._prepared is None:
            self.on_start()  # without a node
        assert self._prepared is not None
        work = [(one, self._values(one, seen)) for one in self._prepared]
        response = self._carried_out(work)
        self.count("statements", sum(len(values) if isinstance(values, list) else 1 for _, values in work))
        self.count("rows", response["count"])
        return self._passed_on(self._answer(response, body))

    def _values(self, one: Prepared, seen: Variables) -> _Values:
        takes_times = self.database.takes_times
        elements = one.elements(seen)
        if elements is None:
            return one.values(seen, takes_times)
        return [one.values(of_message(self.message, element), takes_times) for element in elements]

    def _carried_out(self, work: list[tuple[Prepared, _Values]]) -> dict[str, Any]:
        """What the statements have given, now or when the message was here before."""
        if self._once is None:
            return self._run(work)
        if not self._made:
            self._once.create(self.database)
            self._made = True
        try:
            return self._run(work)
        except StatementUnusable:
            self._made = not self.create  # it may be the table of once that is gone
            raise
        except DataRefused:
            before = self._once.known(self.database, self.message.effect)
            if before is None:
                raise
        self.count("again")
        return before[0] or {"rows": [], "count": 0, "gives": False}

    def _run(self, work: list[tuple[Prepared, _Values]]) -> dict[str, Any]:
        once, effect = self._once, self.message.effect if self._once is not None else ""
        with self.database.transaction() as transaction:
            if once is not None:
                once.enter(transaction, effect)
            response = _response([one.run(transaction, values, self.limit) for one, values in work])
            if once is not None and (self.out is not None or self.message.kind is Kind.REQUEST):
                once.leave(transaction, effect, response)
        return response

    # Answers ------------------------------------------------------------------------------------------------

    def _answer(self, response: dict[str, Any], body: Any) -> Any:
        if self.fields:
            return filled(self.fields, of_message(self.message, body, response=response))
        if self.answer == "row":
            return response["rows"][0] if response["rows"] else None
        gives = self.answer == "rows" or (self.answer == "auto" and response["gives"])
        return response["rows"] if gives else {"count": response["count"]}

    def _passed_on(self, answer: Any) -> Any:
        if self.out is None:
            return answer
        read = reader_of(self.out, self.type, lax=True)(answer)
        if self.message.kind is Kind.REQUEST:
            return self.out.request(read).result()
        self.out.send(read)
        return None


def _response(carried: list[Carried]) -> dict[str, Any]:
    """``rows`` of the last statement that gives some, ``count`` of the rows that all of them have changed."""
    from junctor.adapters.sql.values import plain

    given = next((one.rows for one in reversed(carried) if one.rows is not None), None)
    count = sum(max(one.count, 0) for one in carried)
    return {"rows": plain(given or []), "count": count, "gives": given is not None}
