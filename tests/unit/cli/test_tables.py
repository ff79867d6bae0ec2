"""Tables on a terminal: whatever its width, commands are whole and sentences can be read."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import click
import pytest

from junctor.cli import tables

COMMAND = "junctor parked --service notices/webhook --node /srv/plants/north/night"
ERROR = "crm.py:14: ConnectionRefusedError: the partner at 127.0.0.1:9100 refuses the order 4711 and says no word why"
HEADS = ("service", "what", "since", "count", "text", "rule", "told", "next")
ROW = ("partner", "parked", "2026-11-03 02:00:00", "1204", ERROR, "night/parked", "02:00:05 webhook", COMMAND)

SHOW = """
import sys
from junctor.cli import tables
heads, row = eval(sys.argv[1])
tables.show(heads, [row, row], right="count")
"""


def shown(columns: int, heads: tuple[str, ...], row: tuple[str, ...]) -> list[str]:
    """What a terminal of this width gets."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
    command = [sys.executable, "-c", SHOW, repr((heads, row))]
    with subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=environment | {"TERM": "xterm"}) as run:
        os.close(slave)
        data = b""
        try:
            while block := os.read(master, 65536):
                data += block
        except OSError:
            pass  # a terminal that nobody writes to any more
    os.close(master)
    assert run.returncode == 0, data.decode()
    return re.sub(r"\x1b\[[0-9;]*m", "", data.decode()).replace("\r", "").splitlines()


@pytest.mark.parametrize("columns", [40, 80, 100, 120, 200, 300])
def test_commands_are_whole_and_sentences_legible_at_any_width(columns: int) -> None:
    lines = shown(columns, HEADS, ROW)
    assert sum(COMMAND in line for line in lines) == 2
    words = " ".join(lines).split()
    for cell in ROW:
        assert set(cell.split()) <= set(words), f"{cell!r} is not whole"
    assert all(len(line.rstrip()) <= columns for line in lines if COMMAND not in line)


def test_a_table_with_room_has_one_line_for_each_row() -> None:
    lines = shown(300, HEADS, ROW)
    assert [line.split()[0] for line in lines if line.strip(" ─")] == ["service", "partner", "partner"]


def test_without_room_a_row_starts_with_its_short_columns_and_the_rest_is_below() -> None:
    lines = shown(80, HEADS, ROW)
    assert lines[0].split() == ["service", "what", "since", "count", "rule", "told"]
    assert lines[1].split()[:2] == ["partner", "parked"]
    assert [line.split()[0] for line in lines if line.startswith("    ") and line[4] != " "] == ["text", "next"] * 2


def test_a_number_that_is_nothing_is_not_told_below() -> None:
    heads, rows = ["name", "some", "few"], [["a" * 20, "1", "0"], ["b" * 20, "2", "3"]]
    lines = [click.unstyle(line) for line in tables.stacked(heads, rows, {"some", "few"}, 26)]
    assert lines == ["name" + " " * 18 + "some", "a" * 20 + "     1", "b" * 20 + "     2", "    few  3"]
