"""Exceptions as data, with the user's own lines first."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from hashlib import blake2b
from itertools import islice
from types import TracebackType
from typing import Any

import msgspec

from junctor.core.outcome import Failure, Raised
from junctor.errors import EncodeError, storable, text_of
from junctor.observe.frames import OURS, traceback_text
from junctor.observe.hidden import Hidden, unquoted
from junctor.observe.secrets import mask

_LONGEST = 16_384
_BEGIN = 2_048
_PARTS = 64
"""Exceptions of a group that its policy goes by."""


def failure_of(error: BaseException) -> Failure:
    """The failure that an exception is: its type and text, the traceback with the user's own line first, a
    fingerprint. One that was raised in a worker process brings its own."""
    told = _own(error, "failure")
    if isinstance(told, Failure):
        return told
    tb = _from_user_code(error.__traceback__)
    return Failure(
        type=type(error).__qualname__,
        text=mask(text_of(error)) or type(error).__qualname__,
        traceback=_traceback(error, tb),
        fingerprint=_fingerprint(type(error).__qualname__, tb),
        bases=(raised := _raised(error)).bases,
        modules=raised.modules,
        reaction=raised.reaction,
        parts=tuple(map(_raised, islice(leaves(error), _PARTS))) if isinstance(error, BaseExceptionGroup) else (),
        delay=float(delay)
        if isinstance(delay := _own(error, "delay"), int | float) and 0 <= delay < math.inf
        else None,
    )


def _raised(error: BaseException) -> Raised:
    classes = type(error).__mro__
    reaction = _own(error, "reaction")
    return Raised(
        tuple(kind.__name__ for kind in classes),
        tuple(str(kind.__module__) for kind in classes),
        reaction if isinstance(reaction, str) else None,
    )


def leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    """The exceptions in a group, and in groups within it."""
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from leaves(error)
        else:
            yield error


def without_hidden_values(failure: Failure, hides: Hidden) -> Failure:
    """The failure without values that must not show; for one that came as data."""
    text, traceback = hides.mask(failure.text), hides.mask(failure.traceback)
    return msgspec.structs.replace(failure, text=text, traceback=traceback)


def wrong_reply(declared: str, value: Any, where: str) -> EncodeError:
    """The error of a handler that returns another type than it declares."""
    return EncodeError(
        f"the handler declares {declared} and returned {type(value).__qualname__}",
        where=where,
        fix="Return what the annotation says, or correct the annotation.",
    )


def _own(error: BaseException, name: str) -> Any:
    """What a user's exception calls ``reaction`` or ``delay`` may be anything, or raise."""
    try:
        return getattr(error, name, None)
    except BaseException:  # noqa: BLE001 - see above
        return None


def _traceback(error: BaseException, tb: TracebackType | None) -> str:
    text = mask(unquoted(traceback_text(error, tb), error))
    if len(text) > _LONGEST:  # the user's own line is at its begin, the error at its end
        text = f"{text[:_BEGIN]}\n  ...\n{text[_BEGIN - _LONGEST :]}"
    return storable(text)


def _from_user_code(tb: TracebackType | None) -> TracebackType | None:
    """The traceback without our own frames above the user's code; whole when there is no code of the user in it."""
    frame = tb
    while frame is not None and frame.tb_frame.f_code.co_filename.startswith(OURS):
        frame = frame.tb_next
    return frame or tb


def _fingerprint(kind: str, tb: TracebackType | None) -> str:
    place = ""
    while tb is not None:
        code = tb.tb_frame.f_code
        if not code.co_filename.startswith(OURS):
            place = f"{os.path.basename(code.co_filename)}:{code.co_qualname}"
        tb = tb.tb_next
    return blake2b(f"{kind}\0{place}".encode(), digest_size=6).hexdigest()
