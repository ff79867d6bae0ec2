"""What a worker died of, as the failure of its delivery and as a log line: with the user's line of the crash."""

from __future__ import annotations

import re
from hashlib import blake2b

from junctor.core.outcome import Failure
from junctor.errors import WorkerLost
from junctor.observe.frames import is_users, short_path

_FRAME = re.compile(r'File "([^"]+)", line (\d+) in (\S+)')


def death(lost: WorkerLost) -> Failure:
    """The failure of the delivery that was running, with the place of the crash where there is one."""
    place = _place(lost.crash)
    mark = blake2b(f"WorkerLost\0{lost.reason}\0{place}".encode(), digest_size=6).hexdigest()
    text = f"the worker process ended with {lost.reason}{place and f' at {place}'}"
    bases = tuple(kind.__name__ for kind in WorkerLost.__mro__[:-1])
    return Failure("WorkerLost", text, lost.crash, mark, bases)


def _place(crash: str) -> str:
    """The user's line in the report of a crash: ``crunch.py:16, in work``; empty where there is none."""
    frames = [(file, line, name) for file, line, name in _FRAME.findall(crash) if is_users(file)]
    return f"{short_path(frames[0][0])}:{frames[0][1]}, in {frames[0][2]}" if frames else ""


def indented(crash: str) -> str:
    """The report as a part of a log line."""
    return f"\n{crash.rstrip()}" if crash else ""
