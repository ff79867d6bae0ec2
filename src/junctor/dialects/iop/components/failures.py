"""The errors of the engine as programs of the dialect expect them."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from junctor.dialects.iop.messages import SerializationError
from junctor.errors import EncodeError, JunctorError, UnknownTarget


@contextmanager
def as_expected(target: str = "") -> Iterator[None]:
    """Let what the engine raises be a RuntimeError as well, with its text; for a body that cannot be carried, a
    :class:`~junctor.dialects.iop.messages.SerializationError`.

    :param target: the item that is sent to, as the program calls it.
    """
    try:
        yield
    except EncodeError as error:
        raise SerializationError(error.what, where=error.where, fix=error.fix) from error
    except JunctorError as error:
        if isinstance(error, RuntimeError):
            raise
        raise as_runtime_error(error, target).with_traceback(error.__traceback__) from error.__cause__


@contextmanager
def as_runtime_errors() -> Iterator[None]:
    """Let every error of Junctor be a RuntimeError as well; all else comes out as it is."""
    try:
        yield
    except JunctorError as error:
        if isinstance(error, RuntimeError):
            raise
        raise as_runtime_error(error).with_traceback(error.__traceback__) from error.__cause__


def as_runtime_error(error: JunctorError, target: str = "") -> JunctorError:
    """The same error, which ``except RuntimeError`` catches, and which stays for the engine what it was. What fails in
    the code of a service is never the error of whoever called that: its status is 500 at least."""
    own: Any = type(error)
    kind = _both(own)
    made = kind.__new__(kind, *error.args)
    made.args = error.args
    vars(made).update(vars(error), status=max(500, error.status))
    if target and isinstance(made, UnknownTarget):
        made.what = f"there is no item {target!r}, and no service of that name"
    return made


@functools.lru_cache(maxsize=64)
def _both(kind: Any) -> type[JunctorError]:
    # Its name alone says what it is, in a traceback as well: it is in no module.
    return type(kind.__name__, (kind, RuntimeError), {"__module__": "builtins", "__doc__": kind.__doc__})
