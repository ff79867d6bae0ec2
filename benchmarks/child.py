"""One side, one round, one fresh process: ``python -m benchmarks.child SIDE PARAMETERS ANSWER``.

The answer goes to a file, so that whatever a side prints cannot spoil it.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any


def answer(content: dict[str, Any]) -> None:
    Path(sys.argv[3]).write_text(json.dumps(content))


def main() -> None:
    module, _, function = sys.argv[1].partition(":")
    try:
        side = getattr(importlib.import_module(module), function)
        figures = side(json.loads(sys.argv[2]))
    except ImportError as error:
        if not (error.name or "").startswith("junctor"):
            raise
        answer({"missing": str(error)})
    else:
        answer({"figures": figures})


if __name__ == "__main__":
    main()
