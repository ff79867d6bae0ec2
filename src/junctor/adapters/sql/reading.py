"""Values that a driver cannot read are text: one of them must not keep all rows from being read."""

from __future__ import annotations

from typing import Any


def lenient(raw: Any, kind: str) -> None:
    """Prepare a connection of a driver.

    :param kind: of database.
    """
    if kind == "sqlite":
        raw.text_factory = _text
    elif kind == "postgresql" and type(raw).__module__.partition(".")[0] == "psycopg":
        _lenient_psycopg(raw)


def _text(data: bytes) -> str:
    """SQLite stores any bytes as text."""
    return data.decode(errors="replace")


def _lenient_psycopg(raw: Any) -> None:
    """PostgreSQL knows infinity, years before Christ and after 9999, Python does not."""
    from psycopg import DataError
    from psycopg.types import datetime as times

    def or_text(loader: type[Any]) -> type[Any]:
        class Lenient(loader):  # type: ignore[misc]
            def load(self, data: Any) -> Any:
                try:
                    return super().load(data)
                except DataError:
                    return bytes(data).decode()

        return Lenient

    loaders = {"date": times.DateLoader, "timestamp": times.TimestampLoader, "timestamptz": times.TimestamptzLoader}
    for name, loader in loaders.items():
        raw.adapters.register_loader(name, or_text(loader))
