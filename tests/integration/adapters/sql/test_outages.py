"""Both adapters where the database is away, lost, silent, locked or of another host: it is told, nothing is lost."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from junctor import Flow
from junctor.adapters import SqlIn, SqlOut
from junctor.testing import running

SHORT = {"timeout": "250ms"}


def url(base: Any, port: int = 0, host: str = "127.0.0.1") -> str:
    return f"postgresql://postgres@{host}:{port or base.port}/{base.name}"


def writer(address: str, **settings: Any) -> Flow:
    settings = {"statement": "insert into t values (:n)", "once": "done_here", "create": True} | settings
    return Flow("shop").add(SqlOut(url=address, **settings), "crm", hold={"initial": 1, "max": 60})


def reader(address: str, **settings: Any) -> SqlIn:
    return SqlIn(url=address, **({"table": "t", "cursor": ["n"]} | settings))


def numbers(base: Any) -> list[int]:
    return [n for (n,) in base.execute("SELECT n FROM t ORDER BY n")]


def note(plant: Any, service: str) -> str:
    return next(one.reason for one in plant._plant.node.status().services if one.service == service)


@pytest.fixture
def pg(postgresql: Any) -> Any:
    postgresql.execute("CREATE TABLE t (n integer)")
    return postgresql


def test_an_hour_away_and_all_is_written_in_order(pg: Any) -> None:
    with running(writer(pg.url)) as plant:
        plant.send("crm", {"n": 0})
        assert numbers(pg) == [0]
        pg.server.stop_immediately()
        for n in range(1, 6):
            plant.send("crm", {"n": n})
        plant.advance("1h")
        assert [alert.kind for alert in plant.alerts] == ["held"]
        pg.server.start()
        plant.advance("2m")
        assert numbers(pg) == [0, 1, 2, 3, 4, 5]
        assert [alert.kind for alert in plant.alerts] == ["held", "flowing"]


def test_an_hour_away_and_all_is_read(pg: Any) -> None:
    pg.execute("INSERT INTO t VALUES (1), (2)")
    with running(reader(pg.url)) as plant:
        plant.advance("1s")
        assert note(plant, "sql-in") == f"connected to postgresql://127.0.0.1:{pg.port}/{pg.name}"
        pg.execute("INSERT INTO t VALUES (3)")
        pg.server.stop_immediately()
        plant.advance("1h")
        assert [alert.kind for alert in plant.alerts] == ["away"]
        assert note(plant, "sql-in").startswith("away: DatabaseAway")
        pg.server.start()
        plant.advance("2m")
        assert [row["n"] for row in plant.sent("sql-in.out")] == [1, 2, 3]
        assert [alert.kind for alert in plant.alerts] == ["away", "back"]


def test_a_connection_that_was_cut_between_two_messages_is_made_again(pg: Any, link: Any) -> None:
    way = link(pg.port)
    with running(writer(url(pg, way.port))) as plant:
        plant.send("crm", {"n": 0})
        way.drop()
        plant.send("crm", {"n": 1})
        plant.advance("2s")
        assert numbers(pg) == [0, 1]


@pytest.mark.parametrize("many", range(0, 400, 80))
def test_a_link_that_is_cut_anywhere_writes_each_once(pg: Any, link: Any, many: int) -> None:
    """Also where the commit arrives and its answer does not."""
    way = link(pg.port)
    with running(writer(url(pg, way.port))) as plant:
        plant.send("crm", {"n": 0})
        way.cut_after(many)
        for n in range(1, 4):
            plant.send("crm", {"n": n})
        way.heal()
        plant.advance("5m")
        for n in range(4, 6):
            plant.send("crm", {"n": n})
        way.heal()
        plant.advance("5m")
    assert numbers(pg) == [0, 1, 2, 3, 4, 5]


def test_a_commit_whose_answer_is_lost_counts_once(pg: Any, link: Any) -> None:
    way = link(pg.port)

    def tap(direction: str, data: bytes) -> None:
        if direction == "sent" and b"COMMIT" in data and b"3" in sent:
            way.tap = None
            way.cut_after(0)  # when it has been passed on

    with running(writer(url(pg, way.port) + "?sslmode=disable")) as plant:
        sent = b""
        way.tap = tap
        for n in range(1, 6):
            sent = str(n).encode()
            plant.send("crm", {"n": n})
        assert numbers(pg) == [1, 2, 3], "the one whose answer was lost is there"
        assert [alert.kind for alert in plant.alerts] == ["held"]
        way.heal()
        plant.advance("2m")
        assert numbers(pg) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("many", range(1, 300, 100))
def test_a_link_that_is_cut_anywhere_reads_each_once(pg: Any, link: Any, many: int) -> None:
    way = link(pg.port)
    pg.execute("INSERT INTO t SELECT generate_series(1, 5)")
    with running(reader(url(pg, way.port), cursor=[], delete=True, id=["n"], batch=2)) as plant:
        way.cut_after(many)
        plant.advance("2s")
        pg.execute("INSERT INTO t SELECT generate_series(6, 9)")
        plant.advance("2s")
        way.heal()
        plant.advance("5m")
        assert [row["n"] for row in plant.sent("sql-in.out")] == list(range(1, 10))
    assert numbers(pg) == []


def test_a_half_open_link_is_given_up(pg: Any, link: Any) -> None:
    way = link(pg.port)
    with running(writer(url(pg, way.port), **SHORT)) as plant, running(reader(url(pg, way.port), **SHORT)) as other:
        plant.send("crm", {"n": 0})
        other.advance("1s")
        way.half_open()
        plant.send("crm", {"n": 1})
        other.advance("1s")
        assert "no answer within 0.5 s" in plant.alerts[0].text
        assert "timeout expired" in other.alerts[0].text, "it was asked whether it is there, and connected to again"
        way.heal()
        plant.advance("2m")
        other.advance("2m")
        assert numbers(pg) == [0, 1]
        assert [row["n"] for row in other.sent("sql-in.out")] == [0, 1]


def test_nonsense_and_silence_when_connecting(pg: Any, link: Any) -> None:
    way = link(pg.port)
    way.nonsense()
    with running(writer(url(pg, way.port), timeout="500ms")) as plant:
        plant.send("crm", {"n": 0})
        assert [alert.kind for alert in plant.alerts] == ["held"]
        way.heal()
        way.half_open()
        plant.advance("2s")
        way.heal()
        plant.advance("2m")
        assert numbers(pg) == [0]


# Locks and times --------------------------------------------------------------------------------------------


def test_a_statement_that_takes_too_long_is_tried_again_and_then_parked(pg: Any) -> None:
    slow = "insert into t select :n from pg_sleep(60)"
    flow = Flow("shop").add(SqlOut(url=pg.url, statement=slow, **SHORT), "crm", retry={"attempts": 2})
    with running(flow) as plant, plant.expect_parked(match="statement timeout"):
        plant.send("crm", {"n": 1})
        plant.advance("1m")
    assert numbers(pg) == []


@contextlib.contextmanager
def locked(file: Any) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other


def test_a_locked_file_is_waited_for(sqlite: Any) -> None:
    sqlite.execute("CREATE TABLE t (n integer)")
    with running(writer(sqlite.url, **SHORT)) as plant:
        with locked(sqlite.file):
            plant.send("crm", {"n": 1})
        assert numbers(sqlite) == []
        plant.advance("10s")
        assert numbers(sqlite) == [1]


def test_a_statement_that_never_ends_is_interrupted(sqlite: Any) -> None:
    endless = "with recursive r(n) as (select :n union all select n + 1 from r) select count(*) from r"
    flow = Flow("shop").add(SqlOut(url=sqlite.url, statement=endless, **SHORT), "crm", retry={"attempts": 1})
    with running(flow) as plant, plant.expect_parked(match="longer than 0.25 s"):
        plant.send("crm", {"n": 1})


def test_two_that_lock_each_other_both_get_through(pg: Any) -> None:
    pg.execute("INSERT INTO t VALUES (1), (2)")
    steps = [
        {"statement": "update t set n = n where n = :first"},
        {"statement": "select pg_sleep(0.05)"},
        {"statement": "update t set n = n where n = :second"},
    ]
    deadlocked = SqlOut(url=pg.url, statements=steps, timeout="10s")
    with running(Flow("shop").add(deadlocked, "crm", pool=2)) as plant:
        pairs = [{"first": 1, "second": 2}, {"first": 2, "second": 1}]
        for pair in pairs * 2:
            plant.send("crm", pair)
        plant.advance("1m")
        assert plant.parked == []


def test_a_file_that_is_not_there_and_one_that_is_replaced(sqlite: Any) -> None:
    sqlite.execute("CREATE TABLE t (n integer)")
    kept = sqlite.file.read_bytes()
    sqlite.file.unlink()
    with running(writer(sqlite.url)) as plant:
        plant.send("crm", {"n": 1})
        assert "there is no file" in plant.alerts[0].text
        assert not sqlite.file.exists()
        sqlite.file.write_bytes(kept)
        plant.advance("2s")
        assert numbers(sqlite) == [1]
        sqlite.file.unlink()
        sqlite.file.write_bytes(kept)
        plant.send("crm", {"n": 2})
        plant.advance("2s")  # the table of once is made again
        assert numbers(sqlite) == [2], "it writes to the file of that name"


# Who is let in ----------------------------------------------------------------------------------------------


def test_a_wrong_password_waits_and_is_not_shown(pg: Any) -> None:
    role = f"role_{pg.name}"
    pg.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'right-password'")
    try:
        address = f"postgresql://{role}@127.0.0.1:{pg.port}/{pg.name}"
        with running(writer(address, password="wrong-password", once="", create=False)) as plant:
            plant.send("crm", {"n": 1})
            assert "password authentication failed" in plant.alerts[0].text
            assert "wrong-password" not in str(plant.alerts)
            pg.execute(f"ALTER ROLE {role} PASSWORD 'wrong-password'")
            pg.execute(f"GRANT INSERT ON t TO {role}")
            plant.advance("2s")
            assert numbers(pg) == [1]
    finally:
        pg.execute(f"DROP OWNED BY {role}")
        pg.execute(f"DROP ROLE {role}")


def test_a_missing_permission_waits(pg: Any) -> None:
    role = f"role_{pg.name}"
    pg.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'right-password'")
    try:
        address = f"postgresql://{role}:right-password@127.0.0.1:{pg.port}/{pg.name}"
        with running(writer(address, once="", create=False)) as plant:
            plant.send("crm", {"n": 1})
            assert "permission denied for table t" in plant.alerts[0].text
            pg.execute(f"GRANT INSERT ON t TO {role}")
            plant.advance("2s")
            assert numbers(pg) == [1]
    finally:
        pg.execute(f"DROP OWNED BY {role}")
        pg.execute(f"DROP ROLE {role}")


def test_the_name_of_the_host_is_verified(pg: Any) -> None:
    authority = pg.server.authority.ca
    with running(writer(url(pg, host="localhost"), ca=authority)) as plant:
        plant.send("crm", {"n": 1})
        assert numbers(pg) == [1]
        ((encrypted,),) = pg.execute(
            "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'junctor'"
        )
        assert encrypted
    with running(writer(url(pg), ca=authority)) as plant:
        plant.send("crm", {"n": 2})
        assert 'does not match host name "127.0.0.1"' in plant.alerts[0].text


# A thread less ----------------------------------------------------------------------------------------------


def test_no_thread_and_no_connection_is_left_behind(pg: Any) -> None:
    before = set(threading.enumerate())
    with running(writer(pg.url)) as plant:
        plant.send("crm", {"n": 1})
    until = time.monotonic() + 5
    while pg.execute("SELECT 1 FROM pg_stat_activity WHERE application_name = 'junctor'"):
        assert time.monotonic() < until
        time.sleep(0.01)
    left = set(threading.enumerate()) - before
    assert not [thread for thread in left if thread.name == "sql limit"]
