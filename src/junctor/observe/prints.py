"""``print`` inside a handler joins the trace as INFO. What is printed appears where it always did,
without the sensitive values of the message that is handled."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from typing import IO, Any

from junctor.core.hop import Hop, current
from junctor.core.outcome import LogLine
from junctor.observe.hidden import without_hidden
from junctor.observe.secrets import mask

_INFO = 20


def join_prints() -> Callable[[], None]:
    """Watch ``sys.stdout`` and ``sys.stderr`` while services are hosted. Answers the undo, which leaves a stream set by
    others alone."""
    out, err = sys.stdout, sys.stderr
    watched_out, watched_err = PrintWatch(out), PrintWatch(err, notes=False)
    sys.stdout, sys.stderr = watched_out, watched_err

    def undo() -> None:
        if sys.stdout is watched_out:
            sys.stdout = out
        if sys.stderr is watched_err:
            sys.stderr = err

    return undo


class PrintWatch:
    """A stream that also notes whole lines with the hop that prints them. Everything else is the real stream.

    :param notes: False for standard error: log handlers of the user's own write there what the trace has already.
    """

    def __init__(self, real: IO[str], notes: bool = True) -> None:
        self._real = real
        self._notes = notes
        self._open_line = _OpenLine()

    def write(self, text: str) -> int:
        hop = current.get()
        if hop is not None and hop.open:
            if self._notes:
                self._open_line.add(hop, text)
            if hop.hides is not None:
                self._real.write(hop.hides.mask(text))
                return len(text)
        return self._real.write(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def __iter__(self) -> Any:
        return iter(self._real)


class _OpenLine(threading.local):
    """The line begun by this thread: ``print(a, b)`` writes in four pieces, of one hop and without a switch between."""

    def __init__(self) -> None:
        self.hop: Hop | None = None
        self.text = ""

    def add(self, hop: Hop, text: str) -> None:
        if hop is not self.hop:
            self.finish()
            self.hop = hop
        *whole, self.text = (self.text + text).split("\n")
        for line in whole:
            _note(hop, line)

    def finish(self) -> None:
        if self.hop is not None and self.text and self.hop.open:
            _note(self.hop, self.text)
        self.text = ""


def _note(hop: Hop, line: str) -> None:
    if line.strip():
        text = line if line.isascii() else line.encode("utf-8", "backslashreplace").decode()
        hop.note(LogLine(time.time_ns(), _INFO, "print", mask(without_hidden(text, hop))))
