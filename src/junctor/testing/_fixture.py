"""What the fixture ``junctor`` gives a test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from junctor.testing._run import Running, running


def factory(folder: Path, root: Path) -> Callable[..., Running]:
    """``running`` with texts that name files taken relative to the test.

    :param folder: of the test; ``root``: of the project.
    """

    def start(flow: Any, **options: Any) -> Running:
        return running(_found(flow, folder, root) if isinstance(flow, str | Path) else flow, **options)

    return start


def _found(text: str | Path, folder: Path, root: Path) -> str:
    place, colon, attribute = str(text).partition(":")
    for above in (folder, *folder.parents):
        if (above / place).exists():
            return f"{above / place}{colon}{attribute}"
        if above == root:
            break
    return str(text)
