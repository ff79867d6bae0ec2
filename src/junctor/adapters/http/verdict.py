"""What the status of an answer means for the message: pure decisions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal

from junctor.errors import SettingError

Verdict = Literal["done", "retry", "hold", "park"]

DEFAULTS: Mapping[str, Verdict] = {
    "2xx": "done",
    "3xx": "park",
    "401": "hold",
    "408": "retry",
    "425": "retry",
    "429": "hold",
    "4xx": "park",
    "502": "hold",
    "503": "hold",
    "504": "hold",
    "5xx": "retry",
}
"""What is no fault of the message holds the service: the other side is away, has enough, or knows us no longer."""

_NAME = re.compile(r"[2-5](?:\d\d|xx)")


def verdict(status: int, on: Mapping[str, Verdict]) -> Verdict:
    """What becomes of a message. A status counts before its class (``4xx``), and what ``on`` says before the default:
    ``5xx: park`` leaves a 503 as it is."""
    for name in (str(status), f"{status // 100}xx"):
        found = on.get(name) or DEFAULTS.get(name)
        if found is not None:
            return found
    return "park"


def check_verdicts(on: Mapping[str, Verdict], where: str) -> None:
    """Refuse what is no status.

    :raises SettingError: one is none.
    """
    for name in on:
        if not _NAME.fullmatch(name):
            fix = "Write a status like 404, or a class of them like 5xx."
            raise SettingError(f'"{name}" is no status of an answer', where=where, fix=fix)


def retry_after(text: str, now: datetime, longest: float) -> float | None:
    """The seconds that ``Retry-After`` asks for, as a number or a date (RFC 9110, 10.2.3); None where it says nothing
    that can be obeyed.

    :param longest: no more than these seconds.
    """
    seconds = _seconds(text.strip(), now)
    return None if seconds is None or seconds <= 0 else min(seconds, longest)


def _seconds(text: str, now: datetime) -> float | None:
    if re.fullmatch(r"[0-9]{1,12}", text):
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, IndexError, OverflowError):
        return None
    if until.tzinfo is None:  # "-0000": UTC of somebody who does not say where they are
        until = until.replace(tzinfo=UTC)
    return (until - now).total_seconds()
