"""Tracebacks for people who write services: their own line first, the frames of the engine folded."""

from __future__ import annotations

import inspect
import linecache
import os
import re
import sys
import traceback
from types import CodeType, FrameType, TracebackType
from typing import NamedTuple

from junctor.errors import JunctorError, text_of

OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
"""The folder of Junctor's own code."""

_NOT_THE_USERS = (OURS, os.path.dirname(os.path.abspath(os.__file__)) + os.sep)
_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")
_FRAME = re.compile(r'(?P<margin>(?:  )*(?:[|+] )?)  File "(?P<file>[^"\n]+)", line \d+')
_OWN_LINE = re.compile(r"\S.*:\d+, in \S")
_DEF = re.compile(r"\s*(?:async\s+)?def\s|.*\blambda\b")
_LONGEST = 120  # characters of a source line
_CODE = "__junctor_code__"


def is_users(file: str) -> bool:
    """Whether a source file belongs neither to Python, nor to Junctor, nor to an installed package."""
    if not file.endswith(".py") or file.startswith(_NOT_THE_USERS):
        return False
    return not any(part in file for part in _INSTALLED)


def short_path(file: str) -> str:
    """The path as the user sees it: relative to the working folder when it lies below."""
    try:
        return file.removeprefix(os.getcwd() + os.sep)
    except OSError:  # the working folder is gone
        return file


def users_line() -> str:
    """``cpu.py:14``, the user's line that is being run in this thread; empty where there is none."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        if is_users(file):
            return f"{short_path(file)}:{frame.f_lineno}"
        frame = frame.f_back
    return ""


class Place(NamedTuple):
    """A line of the user's code: ``alarm.py:14, in on_reading: unit = reading.meta["unit"]``."""

    file: str
    line: int
    function: str
    source: str

    def __str__(self) -> str:
        source = f": {self.source}" if self.source else ""
        return f"{short_path(self.file)}:{self.line}, in {self.function}{source}"


def users_place(error: BaseException) -> Place | None:
    """The innermost line of the user's code that an exception, or what caused it, came through, else what
    :func:`point_to` named; None without one."""
    found = _innermost_of_all(error)
    if found is None and isinstance(error, JunctorError):
        found = _place_of(vars(error).get(_CODE))
    return found


def _innermost_of_all(error: BaseException) -> Place | None:
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        if isinstance(following, SyntaxError) and following.filename and is_users(following.filename):
            source = (following.text or "").strip()[:_LONGEST]
            return Place(following.filename, following.lineno or 0, "this file", source)
        if (place := _innermost(following.__traceback__)) is not None:
            return place
        following = _cause_of(following)
    return None


def point_to(error: JunctorError, call: object) -> None:
    """Let the place of an error be a function of the user that has returned already: what it returned is wrong."""
    while not hasattr(call, "__code__"):
        call = getattr(call, "__wrapped__", None) or getattr(call, "__func__", None) or getattr(call, "func", None)
        if call is None:
            return
    call = inspect.unwrap(call)  # type: ignore[arg-type]
    vars(error)[_CODE] = getattr(call, "__code__", None)


def _place_of(code: CodeType | None) -> Place | None:
    if code is None or not is_users(code.co_filename):
        return None
    linecache.checkcache(code.co_filename)
    lines = linecache.getlines(code.co_filename)[code.co_firstlineno - 1 :]
    below = next((number for number, line in enumerate(lines) if _DEF.match(line)), 0)  # behind its decorators
    source = lines[below].strip()[:_LONGEST] if lines else ""
    return Place(code.co_filename, code.co_firstlineno + below, code.co_name, source)


def _cause_of(error: BaseException) -> BaseException | None:
    # Not by name: a user's class may have anything there.
    cause, context, hides = (vars(BaseException)[f"__{name}__"] for name in ("cause", "context", "suppress_context"))
    found: BaseException | None = cause.__get__(error)
    return found if found is not None or hides.__get__(error) else context.__get__(error)


def _innermost(trace: TracebackType | None) -> Place | None:
    found = None
    while trace is not None:
        code = trace.tb_frame.f_code
        if is_users(code.co_filename):
            found = (code.co_filename, trace.tb_lineno, code.co_name)
        trace = trace.tb_next
    if found is None:
        return None
    linecache.checkcache(found[0])
    return Place(*found, linecache.getline(found[0], found[1]).strip()[:_LONGEST])


def users_part(trace: TracebackType | None) -> TracebackType | None:
    """A traceback from the user's first line on; whole where there is none."""
    frame = trace
    while frame is not None and not is_users(frame.tb_frame.f_code.co_filename):
        frame = frame.tb_next
    return frame or trace


def traceback_text(error: BaseException, trace: TracebackType | None) -> str:
    """The traceback from ``trace`` on, as Python writes it, without the frames of the engine where the user has some.

    Before it, on a line of its own, the user's own line. An error of Junctor that came through no code of the user has
    that line at most: its text says what is wrong, and the lines of the engine nothing. The class may be a user's:
    whatever its attributes do, there is a text.
    """
    if isinstance(error, JunctorError) and _innermost_of_all(error) is None:
        place = users_place(error)
        return "" if place is None else f"{place}\n"
    try:
        lines = traceback.format_exception(type(error), error, trace)
    except BaseException:  # noqa: BLE001 - it reads attributes of the user's class
        lines = [*traceback.format_tb(trace), f"{type(error).__qualname__}: {text_of(error)}\n"]
    place = users_place(error)
    text = "".join(lines)
    return text if place is None else f"{place}\n{folded(text)}"


def stack_text(frame: FrameType | None) -> str:
    """Where code is just now: the user's innermost line, then the stack from the user's first frame on with the frames
    of the engine folded. Without code of the user, the innermost frames."""
    stack = traceback.extract_stack(frame) if frame is not None else []
    users = [number for number, one in enumerate(stack) if is_users(one.filename)]
    if not users:
        return "".join(traceback.format_list(stack[-6:])).rstrip("\n")
    one = stack[users[-1]]
    place = Place(one.filename, one.lineno or 0, one.name, (one.line or "").strip()[:_LONGEST])
    return f"{place}\n{folded(''.join(traceback.format_list(stack[users[0] :])))}".rstrip("\n")


def own_line(text: str) -> str:
    """The user's own line that :func:`traceback_text` wrote before a traceback, empty where it wrote none."""
    first = text.partition("\n")[0]
    return first if _OWN_LINE.match(first) else ""


def folded(text: str) -> str:
    """A written traceback with the frames of Junctor's own code in one line each time."""
    kept: list[str] = []
    count, inside = 0, ""
    for line in text.splitlines(keepends=True):
        frame = _FRAME.match(line)
        if frame is not None and frame["file"].startswith(OURS):
            count, inside = count + 1, frame["margin"]
            continue
        if count and frame is None and line.startswith((f"{inside}    ", f"{inside}  [")):
            continue  # the source line of such a frame, its marks, or how often it was repeated
        if count:
            kept.append(_fold(inside, count))
            count = 0
        kept.append(line)
    return "".join([*kept, _fold(inside, count)] if count else kept)


def _fold(margin: str, count: int) -> str:
    return f"{margin}  ... {count} frame{'' if count == 1 else 's'} of junctor\n"
