"""``sql-in``: rows of a database become messages."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from junctor.adapters.records import reader_of
from junctor.adapters.sql.inbound_settings import SqlInSettings
from junctor.adapters.sql.reasons import INBOUND
from junctor.core.expressions import Variables
from junctor.core.expressions.template import as_text
from junctor.core.outcome import Park
from junctor.core.policy import Policies, RetryPolicy
from junctor.errors import BodyTooLarge, EncodeError, ExpressionFailed, JunctorError
from junctor.services import handler

if TYPE_CHECKING:
    from junctor.adapters.sql.by_cursor import ByCursor
    from junctor.adapters.sql.by_status import ByStatus
    from junctor.adapters.sql.database import Row

LONGEST_KEY = 200
"""Characters of an idempotency key; longer ones are hashed."""


@dataclass(frozen=True)
class SetAside:
    """A row that could not be sent, parked with the ``reason``: where it is, not what is in it."""

    source: str
    id: dict[str, Any]
    reason: str


class SqlIn(SqlInSettings):
    """Sends new rows of a table, or of a query, a message a row.

    New are rows above a cursor, which is one column or several that only grow; or rows with a status, which is changed
    when they were sent, or which are deleted then. How far it is, is committed with the messages: none is left out and
    none comes twice, whatever ends the node::

        orders-in:
          adapter: sql-in
          settings: {url: "sqlite:///shop.db", table: orders, cursor: [id]}
          connect: {out: enrich}
    """

    __junctor_policies__ = Policies(retry=RetryPolicy(on=INBOUND))

    _way: ByCursor | ByStatus | None = None

    def on_start(self) -> None:
        """Make ready what selects."""
        from junctor.adapters.sql.by_cursor import ByCursor
        from junctor.adapters.sql.by_status import ByStatus, Status
        from junctor.adapters.sql.selection import Batch

        self._read = reader_of(self.out, self.type, lax=True)
        source, batch = self.source(), Batch(self.batch, self.batch_bytes)
        if self.cursor:
            self._way = ByCursor(source, self.cursor, self.first(), batch, self.lag)
        else:
            status = Status(self.status, self.new, self.done, self.claim)
            self._way = ByStatus(source, status, self.id, self.order, batch, self.delete)

    def poll(self) -> bool:
        """Mark the rows whose messages are committed, then send the next batch."""
        if self._way is None:
            self.on_start()  # without a node
        assert self._way is not None
        marked = self._way.settle(self.database, self.state)
        rows = self._way.take(self.database, self.state, self.now().timestamp())
        for row in rows:
            self._send(row)
        if rows:
            self.count("rows", len(rows))
        return bool(rows) or marked

    # Messages -----------------------------------------------------------------------------------------------

    def _send(self, row: Row) -> None:
        """Send a row. One that cannot be sent does not stop the others."""
        from junctor.adapters.sql.values import plain

        body = {name: plain(value, self.decimals == "number") for name, value in row.items()}
        key, once = self._key(body), self._once(body) if self.once else None
        try:
            self._hand_over(body, key, once)
        except (BodyTooLarge, EncodeError) as error:
            self._set_aside(body, error)

    def _hand_over(self, body: dict[str, Any], key: str | None, once: str | None) -> None:
        try:
            self.out.send(self._read(body), key=key, idempotency_key=once)
        except EncodeError:  # what the receiver's class makes of it is no JSON; as it is, it is parked there
            self.out.send(body, key=key, idempotency_key=once)

    def _key(self, body: dict[str, Any]) -> str | None:
        if self.key is None:
            return None
        try:
            return as_text(self.key.value(Variables({}, body=body)))
        except ExpressionFailed as error:
            self.log.warning("%s: a row goes without a key: %s", self.table or "query", error.what)
            return None

    def _once(self, body: dict[str, Any]) -> str:
        made = f"{self.table or self.name}:{':'.join(str(body.get(name)) for name in self.id or self.cursor)}"
        return made if len(made) <= LONGEST_KEY else hashlib.sha256(made.encode()).hexdigest()

    def _set_aside(self, body: dict[str, Any], error: JunctorError) -> None:
        self.count("set-aside")
        known = {name: body.get(name) for name in self.id or self.cursor}
        self.target(self.name, SetAside).send(SetAside(self.table or "query", known, error.what))

    @handler
    async def put_aside(self, row: SetAside) -> None:
        """Park what could not be sent."""
        raise Park(f"{row.source} {row.id}: {row.reason}")
