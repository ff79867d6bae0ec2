"""Where in the user's code a workflow is."""

from __future__ import annotations

import sys
from types import CodeType
from typing import Any

from junctor.observe.frames import is_users


def place_here() -> str:
    """``onboard.py:12``: the line of the user that runs now, empty where there is none."""
    frame = sys._getframe(1)
    while frame is not None:
        if is_users(frame.f_code.co_filename):
            return _place(frame.f_code, frame.f_lineno)
        if frame.f_back is None:
            break
        frame = frame.f_back
    return ""


def place_in(coroutine: Any) -> str:
    """The line at which a coroutine, or the innermost of the user's coroutines that it awaits, stands."""
    found = ""
    while coroutine is not None and (frame := getattr(coroutine, "cr_frame", None)) is not None:
        if is_users(frame.f_code.co_filename):
            found = _place(frame.f_code, frame.f_lineno)
        coroutine = coroutine.cr_await
    return found


def place_of(error: BaseException) -> str:
    """The innermost line of the user that an exception came through; empty where there is none."""
    found, traceback = "", error.__traceback__
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if is_users(code.co_filename):
            found = _place(code, traceback.tb_lineno)
        traceback = traceback.tb_next
    return found


def place_at(code: CodeType | None) -> str:
    """The line at which a function begins; empty where it is none of the user's."""
    return _place(code, code.co_firstlineno) if code is not None and is_users(code.co_filename) else ""


def _place(code: CodeType, line: int) -> str:
    return f"{code.co_filename.rpartition('/')[2]}:{line}"
