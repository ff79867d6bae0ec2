"""Logs: two forms, no line that pretends to be another, and every record joins the hop that runs."""

from __future__ import annotations

import io
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import pytest

from junctor.core.hop import MAX_LINES, Hop, current
from junctor.errors import ConfigurationError
from junctor.messages import Kind
from junctor.observe import logs
from junctor.observe.prints import join_prints

SESSION = 0x3F2A1B9C << 96 | 1


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def hop() -> Iterator[Hop]:
    running = Hop(Kind.SEND, "plant/alarm", "on_reading", SESSION, 7, 0)
    token = current.set(running)
    yield running
    current.reset(token)


@contextmanager
def logging_to(out: io.StringIO, level: str = "info", form: logs.Form = "auto") -> Iterator[io.StringIO]:
    undo = logs.configure(level, form, out)
    try:
        yield out
    finally:
        undo()


@contextmanager
def joined() -> Iterator[None]:
    undo = logs.join_hops()
    try:
        yield
    finally:
        undo()


def fail() -> None:
    raise ValueError("boom\n12:00:00.000 INFO     forged")


# The two forms --------------------------------------------------------------------------------------------------


def test_json_lines_where_there_is_no_terminal(hop: Hop) -> None:
    with logging_to(io.StringIO()) as out:
        logging.getLogger("lib").warning("cpu above %s", 80)
        try:
            fail()
        except ValueError:
            logging.getLogger("lib").exception("failed")
    first, second = [msgspec.json.decode(line) for line in out.getvalue().splitlines()]
    assert first["time"].endswith("Z") and "T" in first["time"]
    assert {key: first[key] for key in ("level", "logger", "text", "service", "session")} == {
        "level": "warning",
        "logger": "lib",
        "text": "cpu above 80",
        "service": "plant/alarm",
        "session": f"{SESSION:032x}",
    }
    assert "ValueError: boom" in second["exception"]


def test_outside_a_hop_there_is_no_session() -> None:
    with logging_to(io.StringIO()) as out:
        logging.getLogger("lib").info("x")
        logging.getLogger("lib").info("y", extra={"service": "plant/pump"})
    first, second = [msgspec.json.decode(line) for line in out.getvalue().splitlines()]
    assert "session" not in first and "service" not in first
    assert second["service"] == "plant/pump"


def test_readable_lines_on_a_terminal(hop: Hop) -> None:
    with logging_to(Terminal()) as out:
        logging.getLogger("lib").warning("cpu above 80")
    line = out.getvalue()
    assert "\x1b[33mWARNING " in line and " alarm        cpu above 80" in line and f"{SESSION:032x}"[-8:] in line


def test_no_colour_where_no_terminal_is() -> None:
    with logging_to(io.StringIO(), form="human") as out:
        logging.getLogger("junctor.http").error("x")
    assert "\x1b" not in out.getvalue() and " ERROR    http         x\n" in out.getvalue()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[2Jb", "a\\x1b[2Jb"),
        ("a\rb", "a\\rb"),
        ("a\x9bb\x7f", "a\\x9bb\\x7f"),
        ("a\u2028b\u202eb", "a\\u2028b\\u202eb"),
        ("a\nb", "a\n    | b"),
        ("a\tü", "a\tü"),
    ],
)
def test_logged_text_cannot_pretend_to_be_a_line(text: str, shown: str) -> None:
    with logging_to(io.StringIO(), form="human") as out:
        logging.getLogger("lib").info("%s", text)
    assert shown in out.getvalue()


def test_a_traceback_is_indented() -> None:
    with logging_to(io.StringIO(), form="human") as out:
        try:
            fail()
        except ValueError:
            logging.getLogger("lib").exception("failed")
    first, *rest = out.getvalue().splitlines()
    assert "failed" in first and rest and all(line.startswith("    | ") for line in rest)


@pytest.mark.parametrize("form", ["human", "json"])
def test_a_lone_surrogate_is_written_as_an_escape(form: logs.Form) -> None:
    with logging_to(io.StringIO(), form=form) as out:
        logging.getLogger("lib").info("\ud800")
    out.getvalue().encode()
    assert "ud800" in out.getvalue()


# Levels and undoing ---------------------------------------------------------------------------------------------


def test_the_console_hears_from_its_level_on(hop: Hop) -> None:
    with logging_to(io.StringIO(), "error") as out, joined():
        logging.getLogger("lib").info("quiet")
        logging.getLogger("lib").error("loud")
    assert "quiet" not in out.getvalue() and "loud" in out.getvalue()
    assert [line.text for line in hop.logs or ()] == ["quiet", "loud"]  # the trace keeps both


def test_an_unknown_level_is_named() -> None:
    with pytest.raises(ConfigurationError, match="'loud' is not a log level.*debug, info"):
        logs.configure("loud")


def test_undo_leaves_everything_as_it_was() -> None:
    root = logging.getLogger()
    before = root.handlers[:], root.level, logging.getLogger("junctor").level
    with logging_to(io.StringIO(), "debug"), joined():
        assert root.level == logging.DEBUG
    assert (root.handlers, root.level, logging.getLogger("junctor").level) == before


def test_a_program_without_logging_still_sees_its_warnings(
    hop: Hop, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    with joined():
        logging.getLogger("lib").warning("seen")
        logging.getLogger("lib").info("not seen")
    assert capsys.readouterr().err == "seen\n"


# Joining the hop ------------------------------------------------------------------------------------------------


def test_records_join_the_hop_from_info_on(hop: Hop) -> None:
    with logging_to(io.StringIO(), "debug"), joined():
        logging.getLogger("lib").debug("no")
        logging.getLogger("lib").info("yes %d", 1)
        try:
            fail()
        except ValueError:
            logging.getLogger("lib").exception("bad")
    first, second = hop.logs or []
    assert (first.text, first.level, first.logger) == ("yes 1", logging.INFO, "lib") and first.time > 10**18
    assert second.text.startswith("bad\ntests/unit/observe/test_logs.py:") and "ValueError: boom" in second.text


@pytest.mark.parametrize("program", ["node", "other"])
def test_a_wrong_format_fails_nobody(hop: Hop, capsys: pytest.CaptureFixture[str], program: str) -> None:
    undo = logs.configure("info" if program == "node" else "error")
    try:
        with joined():
            logs.ServiceLog("plant/alarm").info("%d degrees", "many")
    finally:
        undo()
    assert hop.logs is not None and hop.logs[0].text.startswith("%d degrees (TypeError")
    capsys.readouterr()


def test_records_are_bounded(hop: Hop) -> None:
    with logging_to(io.StringIO()), joined():
        for number in range(MAX_LINES + 50):
            logging.getLogger("lib").info("x" * 10_000 if number == 0 else str(number))
    kept = hop.logs or []
    assert len(kept) == MAX_LINES + 1 and "cut" in kept[-1].text and len(kept[0].text) < 5000


def test_a_hop_that_ended_takes_nothing_more(hop: Hop) -> None:
    with logging_to(io.StringIO()), joined():
        hop.open = False
        logging.getLogger("lib").info("late")
    assert not hop.logs


# The log of a service -------------------------------------------------------------------------------------------


def test_the_log_of_a_service_joins_the_hop_whatever_the_program_shows(hop: Hop) -> None:
    log = logs.ServiceLog("plant/alarm")
    assert logging.getLogger().level == logging.WARNING
    with joined():
        log.debug("no")
        log.info("yes %d", 1)
        log.warning("more")
        try:
            fail()
        except ValueError:
            log.info("why", exc_info=True)
    noted = [line.text for line in hop.logs or ()]
    assert noted[:2] == ["yes 1", "more"] and noted[2].startswith("why\ntests/unit/observe/test_logs.py:")


def test_the_log_of_a_service_carries_its_address_and_the_callers_place(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    log = logs.ServiceLog("plant/alarm")
    log.info("x", extra={"mine": 1})
    try:
        fail()
    except ValueError:
        log.exception("bad")
    first, second = caplog.records
    assert (first.name, first.service, first.mine) == ("plant.alarm", "plant/alarm", 1)  # type: ignore[attr-defined]
    assert first.funcName == "test_the_log_of_a_service_carries_its_address_and_the_callers_place"
    assert second.exc_info is not None and log.isEnabledFor(logging.INFO) and not log.isEnabledFor(logging.DEBUG)


# Prints ---------------------------------------------------------------------------------------------------------


def test_prints_join_the_hop_and_appear(hop: Hop, capsys: pytest.CaptureFixture[str]) -> None:
    before = sys.stdout
    undo = join_prints()
    print("a", 1, {"b": 2})
    print("one", end=" ")
    print("line")
    print("two\nlines")
    print()
    sys.stdout.writelines(["x", "y\n"])
    sys.stdout.flush()
    undo()
    assert sys.stdout is before
    print("after")
    assert [line.text for line in hop.logs or ()] == ["a 1 {'b': 2}", "one line", "two", "lines", "xy"]
    assert capsys.readouterr().out == "a 1 {'b': 2}\none line\ntwo\nlines\n\nxy\nafter\n"


def test_prints_outside_a_hop_only_appear(capsys: pytest.CaptureFixture[str]) -> None:
    undo = join_prints()
    print("plain")
    undo()
    assert capsys.readouterr().out == "plain\n"


def test_undo_leaves_a_stream_set_by_others_alone(capsys: pytest.CaptureFixture[str]) -> None:
    before = sys.stdout
    undo = join_prints()
    sys.stdout = other = io.StringIO()
    undo()
    assert sys.stdout is other
    sys.stdout = before


def test_prints_of_threads_do_not_mix(hop: Hop, capsys: pytest.CaptureFixture[str]) -> None:
    other = Hop(Kind.SEND, "plant/pump", "run", 1, 8, 0)

    def work() -> None:
        current.set(other)
        print("b", end="")
        print("b")

    undo = join_prints()
    print("a", end="")
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    print("a")
    undo()
    assert [line.text for line in hop.logs or ()] == ["aa"] and [line.text for line in other.logs or ()] == ["bb"]
