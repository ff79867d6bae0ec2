"""Every snippet of the how-to pages on running a node does what the page says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.readme.pages import ROOT, Desk

PAGES = [ROOT / "docs" / "howto" / name for name in ("systemd.md", "containers.md")]


@pytest.mark.timeout(180)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_snippet_works(page: Path, short_dir: Path, free_port: int) -> None:
    with Desk(short_dir, free_port) as desk:
        desk.play(page)
