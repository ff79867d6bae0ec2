"""Tables, and what the command line loads."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pytest

from junctor.cli import main, output, status, tables, trace
from junctor.node.views.messages import MessageView
from junctor.node.views.search import STATUSES
from junctor.node.views.status import NodeStatus, Running, ServiceStatus
from junctor.node.views.trace import Hop, Trace


def test_a_table_in_a_pipe_is_aligned_text(capsys: pytest.CaptureFixture[str]) -> None:
    tables.show(("name", "count", "note"), [("a", "1", "x\x1b[0m"), ("longer", "100", "")], right="count")
    assert capsys.readouterr().out == ("name    count  note\na           1  x\\x1b[0m\nlonger    100\n")


def test_a_table_on_a_terminal_is_folded_and_takes_no_markup(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "40")
    tables.show(("name", "note"), [("a", "[red]not a colour[/red] " * 3)])
    text = click.unstyle(capsys.readouterr().out)
    assert "[red]not a colour" in text
    assert max(map(len, text.splitlines())) <= 40


def test_a_stopped_service_says_how_it_is_restarted(capsys: pytest.CaptureFixture[str]) -> None:
    stopped = ServiceStatus("shop", "intake", "failed", reason="OSError: no")
    status._head(NodeStatus("n1", "running", ["shop"], [stopped, ServiceStatus("shop", "crm", "held")]))
    lines = capsys.readouterr().out.splitlines()
    assert "shop/intake stays stopped: junctor restart shop/intake" in lines
    assert not any("shop/crm" in line for line in lines)


def test_without_rows_there_is_a_head(capsys: pytest.CaptureFixture[str]) -> None:
    tables.show(("a", "b"), [])
    assert capsys.readouterr().out == "a  b\n"


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["--version"], ["run", "--help"], ["trace", "--help"]])
def test_help_is_exit_code_0(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(words) == 0
    assert capsys.readouterr().out


def test_without_a_command_there_is_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main([]) == 2
    said = capsys.readouterr().err
    assert said.startswith("Usage: junctor")
    assert "(see" not in said


@pytest.mark.parametrize(
    ("facts", "note"),
    [
        ({"last_error": "OSError: gone"}, "last error: OSError: gone"),
        ({"last_error": "OSError: gone", "reason": "OSError: away", "state": "held"}, "OSError: away"),
        ({"running": [Running("on_order", "abc-7", 2.8)]}, "on_order has been running for 2.8 s (abc-7)"),
        ({}, ""),
    ],
)
def test_the_note_of_a_service_says_what_it_is(facts: dict[str, Any], note: str) -> None:
    assert status._row(ServiceStatus(**{"flow": "f", "service": "a", "state": "running"} | facts), False)[-1] == note


def test_every_status_is_explained() -> None:
    text = main.cli.get_command(click.Context(main.cli), "messages").help  # type: ignore[union-attr]
    assert [word for word in STATUSES if not re.search(rf"\n *{word} ", str(text))] == []


def trace_of(*numbers: int, **more: int) -> Trace:
    now = datetime.now(UTC)
    hops = [
        Hop(MessageView(f"n-{seq}", seq, "0" * 32, now, "send", "f/a", "f/b", "T", "done"), depth, 0.0)
        for depth, seq in enumerate(numbers)
    ]
    return Trace("0" * 32, now, 0.0, hops, **more)


def test_a_trace_marks_what_was_asked_for_and_says_what_is_left_out() -> None:
    text = list(trace.lines(trace_of(8, 9, 10, asked=9, others=3), False, " --node x"))
    assert [line[:4] for line in text[1:4]] == ["   8", ">  9", "  10"]
    assert text[-1] == "3 other hops in this session: junctor trace 9 --session --node x"
    text = list(trace.lines(trace_of(9, asked=9, others=1), False))
    assert text[1].startswith("9 ")
    assert text[-1] == "1 other hop in this session: junctor trace 9 --session"
    assert len(list(trace.lines(trace_of(8, 9), False))) == 3


def test_every_command_is_in_the_list_and_has_its_file() -> None:
    for name in main.COMMANDS:
        command = main.cli.get_command(click.Context(main.cli), name)
        assert command is not None
        assert command.name == name


def test_help_loads_no_part_of_the_engine() -> None:
    code = (
        "import json, sys\nfrom junctor.cli.main import main\nmain(['--help'])\n"
        "print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stderr))
    assert not loaded & {"asyncio", "msgspec", "apsw", "rich", "junctor.runtime.engine", "junctor.node.control.client"}


@pytest.mark.parametrize(("umask", "given", "mode"), [(0o022, 0o666, 0o644), (0o077, 0o666, 0o600), (0, 0o600, 0o600)])
def test_a_file_has_no_more_permissions_than_the_user_wants(tmp_path: Path, umask: int, given: int, mode: int) -> None:
    before = os.umask(umask)
    try:
        output.write(tmp_path / "trace.json", "{}", given)
    finally:
        os.umask(before)
    assert (tmp_path / "trace.json").stat().st_mode & 0o777 == mode
