"""Tables, and what the command line loads."""

from __future__ import annotations

import json
import subprocess
import sys

import click
import pytest

from junctor.cli import main, tables


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


def test_without_rows_there_is_a_head(capsys: pytest.CaptureFixture[str]) -> None:
    tables.show(("a", "b"), [])
    assert capsys.readouterr().out == "a  b\n"


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["--version"], ["run", "--help"], ["trace", "--help"]])
def test_help_is_exit_code_0(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(words) == 0
    assert capsys.readouterr().out


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
    assert not loaded & {"asyncio", "msgspec", "apsw", "rich", "junctor.runtime.engine", "junctor.node.client"}
