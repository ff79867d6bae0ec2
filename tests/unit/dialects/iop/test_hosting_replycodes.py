"""Reply code actions: which code fits an error, and what is done after which attempt."""

from __future__ import annotations

import pytest

from junctor.dialects.iop.hosting.replycodes import actions_for, read_reply_codes, step_now
from junctor.errors import ConfigurationError


class Numbered(Exception):
    status_code = 404


@pytest.mark.parametrize(
    ("text", "error", "expected"),
    [
        ("E=R", ValueError("no"), ("retry",)),
        ("E=RS,E*timeout=W", ValueError("a Timeout of 5 s"), ("warn",)),
        ("E=RS,E*timeout=W", ValueError("no"), ("retry", "suspend")),
        ("E*404=W,E#404=C,E=F", Numbered("404"), ("done",)),
        ("E#2=D", FileNotFoundError(2, "no such file"), ("disable",)),
        ("E#3=D", FileNotFoundError(2, "no such file"), ()),
        ("X=F", ValueError("no"), ()),
        ("X=F", None, ("fail",)),
        ("E=F", None, ()),
        (":(E#404,E*gone)=C,:E=F", ValueError("it is gone"), ("done",)),
        ("", ValueError("no"), ()),
    ],
)
def test_the_closest_code_counts(text: str, error: Exception | None, expected: tuple[str, ...]) -> None:
    assert actions_for(read_reply_codes(text), error) == expected


@pytest.mark.parametrize(
    ("letters", "attempt", "expected"),
    [
        ("R", 1, "retry"),
        ("R", 3, "fail"),
        ("RS", 2, "retry"),
        ("RS", 3, "suspend"),
        ("RD", 3, "disable"),
        ("RC", 3, "done"),
        ("W", 1, "warn"),
        ("WF", 1, "fail"),
        ("C", 1, "done"),
        ("S", 1, "suspend"),
    ],
)
def test_steps_of_three_attempts(letters: str, attempt: int, expected: str) -> None:
    actions = actions_for(read_reply_codes(f"E={letters}"), ValueError())
    assert step_now(actions, attempt, 3) == expected


@pytest.mark.parametrize("text", ["E", "E=", "E=Q", "A=R", "E?timeout=R", "X#1=R", "E=R;X=F", "(E=R", "E#=C", "E*=C"])
def test_what_is_no_list_of_codes(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"Python\.MyBO\.ReplyCodeActions"):
        read_reply_codes(text, "Python.MyBO.ReplyCodeActions")
