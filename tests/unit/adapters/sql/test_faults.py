"""What a database says, as it is told."""

from __future__ import annotations

import pytest

from junctor.adapters.sql.faults import text_of


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            'connection failed: connection to server at "127.0.0.1", port 5432 failed: FATAL:  no database "shp"',
            'FATAL: no database "shp"',
        ),
        (
            'connection failed: connection to server at "db.example" (10.0.0.1), port 5432 failed: Connection refused\n'
            "\tIs the server running on that host and accepting TCP/IP connections?",
            "Connection refused Is the server running on that host and accepting TCP/IP connections?",
        ),
        (
            "consuming input failed: server closed the connection",
            "consuming input failed: server closed the connection",
        ),
        ("", "OSError"),
    ],
)
def test_why_comes_first(said: str, told: str) -> None:
    assert text_of(OSError(said)) == told
