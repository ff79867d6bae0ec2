"""``python -m junctor.dialects.iop.director.background NAME``: the process of a production that was started beside a
terminal. It says only what prevents its start; the rest is in its log."""

from __future__ import annotations

import sys

from junctor.dialects.iop.director.place import Namespace
from junctor.dialects.iop.director.running import run_here
from junctor.errors import JunctorError


def main(production: str) -> int:
    """Run the production; the exit code."""
    try:
        return run_here(Namespace(), production, quiet=True)
    except JunctorError as error:
        sys.stderr.write(f"junctor: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
