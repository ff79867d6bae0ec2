"""Rows of the event log, from the lines that a node keeps."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from junctor.dialects.iop.definition import ItemDefinition, ProductionDefinition
from junctor.dialects.iop.director.log import EventLog
from junctor.observe.logfile import FILE

PRODUCTION = ProductionDefinition(
    name="Demo.Production", items=(ItemDefinition(name="Python.Store", class_name="Python.bo.Store"),)
)
START = {"level": "info", "logger": "junctor.node", "text": "starting: demo-production; pid 4711; no listener"}
SAID = {
    "logger": "demo-production.python-store",
    "level": "error",
    "text": "kept",
    "service": "demo-production/python-store",
    "session": "0" * 24 + "12345678",
    "message": "e97d6c8f1457-42",
    "event": "Assert",
    "source": "Store.on_order",
}


def log_of(folder: Path, *lines: dict[str, str]) -> EventLog:
    data = [msgspec.json.encode({"time": "2026-11-20T10:11:12.345678Z", **line}) for line in lines]
    (folder / FILE).write_bytes(b"\n".join([*data, b'{"time": "2026-11-20T10', b""]))
    return EventLog(folder, PRODUCTION)


def columns(log: EventLog) -> list[list[str]]:
    return [str(row).split(" ", 9)[2:] for row in log.rows()]


def test_a_row_has_all_columns(tmp_path: Path) -> None:
    start, said = columns(log_of(tmp_path, START, SAID))
    assert start[:6] == ["Info", "junctor.node", "4711", "-", "-", "-"]
    assert said == ["Assert", "Python.Store", "4711", "42", "12345678", "Store", "on_order", "kept"]


@pytest.mark.parametrize(
    ("level", "word"),
    [("debug", "Trace"), ("info", "Info"), ("warning", "Warning"), ("error", "Error"), ("critical", "Alert")],
)
def test_a_level_without_an_event_has_the_word_of_iris(tmp_path: Path, level: str, word: str) -> None:
    line = {**SAID, "level": level, "event": "", "source": ""}
    (row,) = columns(log_of(tmp_path, line))
    assert row[0] == word and row[5:7] == ["Python.bo.Store", "-"]


@pytest.mark.parametrize(("event", "word"), [("failure", "Error"), ("alert", "Alert")])
def test_what_the_engine_tells_of_a_failure_or_alert_is_found_by_the_words_of_iris(
    tmp_path: Path, event: str, word: str
) -> None:
    text = "demo-production/python-store.on_order: parked after 1 attempt: ValueError: 1"
    (row,) = columns(log_of(tmp_path, {**SAID, "level": "warning", "event": event, "source": "", "text": text}))
    assert row[0] == word and row[1] == "Python.Store" and row[6] == "on_order"


def test_what_was_logged_never_looks_like_a_row_of_its_own(tmp_path: Path) -> None:
    (row,) = log_of(tmp_path, {**SAID, "text": "one\n2026-11-20 \x1b[31mAlert", "exception": "ValueError: x"}).rows()
    first, *rest = str(row).split("\n")
    assert first.endswith(" one") and all(line.startswith("    ") for line in rest)
    assert "\x1b" not in str(row)


def test_it_reads_on_where_it_stopped(tmp_path: Path) -> None:
    log = log_of(tmp_path, START, SAID, SAID)
    assert [row.text for row in log.last(2)] == ["kept", "kept"]
    assert list(log.rows()) == []
