"""Errors as a test shows them: what went wrong with the lines of the user, without the way through Junctor."""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

from junctor.errors import JunctorError

__tracebackhide__ = True  # of pytest: a failure is shown where the test is

P = ParamSpec("P")
T = TypeVar("T")

_PACKAGE = f"{Path(__file__).parents[1]}/"


def told_short(function: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Let errors of ours come out of a method without our frames. The text of ours says what to do; a cause in the
    user's code is kept."""

    @functools.wraps(function)
    async def short(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await function(*args, **kwargs)
        except JunctorError as error:
            cause = error.__cause__
            kept = cause if cause is not None and _in_user_code(cause.__traceback__) else None
            raise error.with_traceback(None) from kept

    return short


def _in_user_code(trace: TracebackType | None) -> bool:
    """Whether it was raised there; then what is in front of it is left out."""
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and not trace.tb_frame.f_code.co_filename.startswith(_PACKAGE) and _is_users(trace)


def _is_users(trace: TracebackType) -> bool:
    return "site-packages" not in trace.tb_frame.f_code.co_filename
