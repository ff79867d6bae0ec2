"""Tracebacks: the user's line first, the engine's frames folded, nothing lost."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from junctor.observe.frames import OURS, folded, traceback_text, users_place


def raised(tmp_path: Path, source: str, monkeypatch: pytest.MonkeyPatch) -> BaseException:
    """The exception that ``handle()`` of this source ends with."""
    path = tmp_path / "alarm.py"
    path.write_text(textwrap.dedent(source))
    monkeypatch.chdir(tmp_path)
    space: dict[str, Any] = {"__name__": "alarm"}
    exec(compile(path.read_text(), str(path), "exec"), space)
    with pytest.raises(BaseException) as caught:
        space["handle"]()
    return caught.value


def test_the_users_line_comes_first_also_when_a_library_raises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    error = raised(
        tmp_path,
        """
        import json

        def handle():
            return json.loads("no json")
        """,
        monkeypatch,
    )
    text = traceback_text(error, error.__traceback__)
    assert text.startswith('alarm.py:5, in handle: return json.loads("no json")\nTraceback')
    assert "decoder.py" in text and text.rstrip().endswith("(char 0)")


def test_the_frames_of_the_engine_are_folded_where_the_user_called_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = raised(
        tmp_path,
        """
        from junctor import Service, Target

        class Monitor(Service):
            readings: Target[int]

        def handle():
            Monitor(wrong=1)
        """,
        monkeypatch,
    )
    text = traceback_text(error, error.__traceback__)
    assert text.startswith("alarm.py:8, in handle: Monitor(wrong=1)\n")
    assert OURS not in text and "of junctor" in text
    assert "there is no such setting" in text.splitlines()[-1]


def test_what_caused_it_counts_where_the_error_itself_came_from_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = raised(tmp_path, "def handle():\n    return {}['unit']", monkeypatch)
    outer = RuntimeError("outer")
    outer.__cause__ = error
    place = users_place(outer)
    assert place is not None and str(place) == "alarm.py:2, in handle: return {}['unit']"


def test_without_a_line_of_the_user_all_is_shown() -> None:
    try:
        compile("1 +", f"{OURS}flows/x", "exec")
    except SyntaxError as error:
        error.__traceback__ = None
        assert traceback_text(error, None).startswith(f'  File "{OURS}')


def test_folding_keeps_the_rest_line_by_line() -> None:
    text = (
        "Traceback (most recent call last):\n"
        '  File "/home/me/alarm.py", line 3, in handle\n    send()\n'
        f'  File "{OURS}runtime/port.py", line 1, in send\n    self.put()\n    ^^^^^^^^^^\n'
        f'  File "{OURS}runtime/port.py", line 2, in put\n    again()\n  [Previous line repeated 3 more times]\n'
        '  File "/usr/lib/x/site-packages/lib.py", line 1, in lib\n    raise ValueError\n'
        "ValueError\n"
    )
    assert folded(text) == (
        "Traceback (most recent call last):\n"
        '  File "/home/me/alarm.py", line 3, in handle\n    send()\n'
        "  ... 2 frames of junctor\n"
        '  File "/usr/lib/x/site-packages/lib.py", line 1, in lib\n    raise ValueError\n'
        "ValueError\n"
    )


def test_groups_of_exceptions_keep_their_margin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = raised(tmp_path, "def handle():\n    raise ValueError('inner')", monkeypatch)
    group = BaseExceptionGroup("two", [inner, KeyError("other")])
    text = traceback_text(group, None)
    assert "ValueError: inner" in text and "KeyError" in text


class Hostile(Exception):
    @property
    def __cause__(self) -> Any:  # type: ignore[override]
        raise SystemExit(3)


def test_an_exception_with_hostile_attributes_has_a_text() -> None:
    assert "Hostile" in traceback_text(Hostile("x"), None)


def test_a_file_that_is_gone_has_a_place_without_its_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    error = raised(tmp_path, "def handle():\n    raise ValueError('inner')", monkeypatch)
    (tmp_path / "alarm.py").unlink()
    sys.modules.pop("alarm", None)
    assert str(users_place(error)) == "alarm.py:2, in handle"
