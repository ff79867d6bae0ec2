"""``python -m junctor.dialects.iop.director.background NAME``: the process of a production that was started beside a
terminal. It says only what prevents its start; the rest is in its log."""

from __future__ import annotations

import io
import sys
from typing import TextIO

from junctor.dialects.iop.director.place import Namespace
from junctor.dialects.iop.director.running import run_here
from junctor.errors import JunctorError

ENOUGH = 256 * 1024
"""Characters of standard error that are kept. Nobody rotates that file, and all that is said is in the log, too."""


class Beginning(io.TextIOBase):
    """A stream that keeps what is written first."""

    def __init__(self, out: TextIO, size: int = ENOUGH) -> None:
        self._out = out
        self._left = size

    def write(self, text: str) -> int:
        """Write it as far as there is room."""
        part = text[: self._left]
        self._left -= len(part)
        if part:
            self._out.write(part)
        return len(text)

    def flush(self) -> None:
        """Pass on what was written."""
        self._out.flush()

    def fileno(self) -> int:
        """The file behind it."""
        return self._out.fileno()


def main(production: str) -> int:
    """Run the production; the exit code."""
    sys.stderr = Beginning(sys.stderr)
    try:
        return run_here(Namespace(), production, quiet=True)
    except JunctorError as error:
        sys.stderr.write(f"junctor: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
