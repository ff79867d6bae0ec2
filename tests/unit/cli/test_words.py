"""How values are written for people, and what people write is read."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import click
import pytest

from junctor.cli import words


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0000004, "0 us"),
        (0.00085, "850 us"),
        (0.012, "12 ms"),
        (3.44, "3.4 s"),
        (312, "5m 12s"),
        (11_100, "3h 5m"),
        (187_200, "2d 4h"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert words.duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"), [(512, "512 B"), (4096, "4.0 KB"), (1_572_864, "1.5 MB"), (5 * 2**30, "5.0 GB")]
)
def test_sizes(count: int, text: str) -> None:
    assert words.size(count) == text


def test_no_text_can_steer_the_terminal() -> None:
    assert words.safe("a\x1b[31mb\nc\td") == "a\\x1b[31mb c d"
    assert words.short("abcdef", 4) == "abc…"


def test_times_are_local_and_short_today() -> None:
    now = datetime.now().astimezone()
    assert words.clock(now) == now.strftime("%H:%M:%S") + f".{now.microsecond // 1000:03d}"
    assert words.clock(now - timedelta(days=3)).startswith((now - timedelta(days=3)).strftime("%Y-%m-%d "))


def test_instants() -> None:
    now = datetime.now().astimezone()
    assert abs((now - words.instant("10m")).total_seconds() - 600) < 5
    assert words.instant("2026-11-20T14:30+00:00").isoformat() == "2026-11-20T14:30:00+00:00"
    assert words.instant("2026-11-20").astimezone().isoformat().startswith("2026-11-20T00:00")
    for text in ("00:00", "23:59", "12:30:05"):
        found = words.instant(text)
        assert found <= now
        assert now - found <= timedelta(days=1, hours=1)
        assert found.astimezone().strftime("%H:%M:%S").startswith(text)


@pytest.mark.parametrize("text", ["", "soon", "25:00", "2026-13-01", "10 minutes"])
def test_no_instants(text: str) -> None:
    with pytest.raises(click.BadParameter, match="not a time"):
        words.instant(text)


def test_bodies(tmp_path: Path) -> None:
    (tmp_path / "body.json").write_text('{"a": 1.0}')
    assert bytes(words.body('{"a": 1.0}')) == b'{"a": 1.0}'
    assert bytes(words.body(f"@{tmp_path / 'body.json'}")) == b'{"a": 1.0}'
    with pytest.raises(click.BadParameter, match=r"quotes of its own: '\"hello\"'"):
        words.body("hello")
    with pytest.raises(click.BadParameter, match="cannot be read"):
        words.body("@nowhere")
    with pytest.raises(click.BadParameter, match="nested too deeply"):
        words.body("[" * 100_000)


def test_a_session_is_short_where_that_tells_it_apart() -> None:
    counted = ["a" * 24 + "00000001", "a" * 24 + "00000002"]
    assert set(words.distinct(counted).values()) == {"00000001", "00000002"}
    foreign = ["a" * 8 + "0" * 24, "b" * 8 + "0" * 24]
    assert set(words.distinct(foreign).values()) == {"a" * 8, "b" * 8}


def test_json_for_a_terminal_says_the_same_and_nothing_that_it_obeys() -> None:
    value = {"a\x9b31m": "\x1b[31m \u202e \u2028 \x7f \t ü 😀"}
    for text in (words.json_text(value), words.json_line(value)):
        assert json.loads(text) == value
        assert "ü 😀" in text and not set(text) & set("\x1b\x9b\x7f\u202e\u2028")
