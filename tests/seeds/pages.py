"""The code of a page, by the names of its files."""

from __future__ import annotations

import re
from pathlib import Path

_BLOCK = re.compile(r"^## (\S+)\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: str) -> dict[str, str]:
    """The blocks of a page in ``pages/``, in its order."""
    found = _BLOCK.findall((Path(__file__).parent / "pages" / f"{page}.md").read_text())
    assert found, page
    return dict(found)
