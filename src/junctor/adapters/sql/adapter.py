"""What both SQL adapters are told: which database, and how it is reached."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from junctor.adapters.base import Adapter
from junctor.errors import MissingExtra, SettingError
from junctor.settings import Duration, setting

if TYPE_CHECKING:
    from junctor.adapters.sql.address import Address
    from junctor.adapters.sql.database import Database

Isolation = Literal["read committed", "repeatable read", "serializable"]


class SqlAdapter(Adapter):
    """An adapter with a connection to a database, one for each delivery that runs at once."""

    extra = "sql"
    needs: ClassVar[tuple[str, ...]] = ("sqlalchemy",)

    url: str = setting(
        secret=True, doc="Which database: sqlite:///orders.db, postgresql://user@host/database, as SQLAlchemy has it"
    )
    password: str = setting("", secret=True, doc="Password of the user, where it is not in the url")
    ca: Path | None = setting(None, doc="Certificates of the authorities to trust, in place of those of the machine")
    certificate: Path | None = setting(None, doc="One's own certificate, where the database wants one")
    key_file: Path | None = setting(None, doc="Private key of the certificate, where it is in a file of its own")
    timeout: Duration = setting("30s", gt=0, doc="How long connecting and each statement may take")
    isolation: Isolation | None = setting(None, doc="Isolation of the transactions; that of the database by default")

    _database: Database | None = None

    def check_settings(self) -> None:
        """Refuse what does not fit together."""
        super().check_settings()
        if self.isolation and self.address().kind == "sqlite":
            fix = "Leave it out: transactions of SQLite are serializable."
            raise SettingError("SQLite has no levels of isolation", where="isolation", fix=fix)

    def address(self) -> Address:
        """The database as the settings say.

        :raises SettingError: they cannot be used.
        """
        from junctor.adapters.sql.address import Address, Trust

        try:
            return Address.read(self.url, self.password, Trust(self.ca, self.certificate, self.key_file))
        except MissingExtra as error:
            error.where = self.name
            raise

    @property
    def database(self) -> Database:
        """The connection of this instance."""
        if self._database is None:
            from junctor.adapters.sql.database import Database

            self._database = Database(self.address(), self.timeout, self.isolation or "")
        return self._database

    def on_stop(self) -> None:
        """Close the connection."""
        if self._database is not None:
            self._database.close()

    def remark(self) -> str:
        """Beside its state in ``junctor status``."""
        if self._database is None:
            return ""
        return f"{'connected' if self._database.connected else 'not connected'} to {self._database.address}"
