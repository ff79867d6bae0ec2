"""Every snippet of the README, of the guide and of the pages of adapters does what the page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.readme.pages import ROOT, Desk, blocks

DOCS = ROOT / "docs"
GUIDE = [DOCS / "start.md", *sorted((DOCS / "guide").glob("*.md")), *sorted((DOCS / "howto").glob("*.md"))]
ADAPTERS = [page for page in sorted((DOCS / "reference" / "adapters").glob("*.md")) if page.stem != "README"]
PAGES = [ROOT / "README.md", *GUIDE, *ADAPTERS]


@pytest.mark.timeout(180)
@pytest.mark.parametrize("page", [*GUIDE, *ADAPTERS], ids=lambda page: page.stem)
def test_every_snippet_of_the_guide_works(page: Path, short_dir: Path, free_port: int) -> None:
    with Desk(short_dir, free_port) as desk:
        desk.play(page)


@pytest.mark.timeout(180)
def test_every_snippet_of_the_readme_works_and_no_order_is_lost(short_dir: Path, free_port: int) -> None:
    with Desk(short_dir, free_port) as desk:
        desk.play(ROOT / "README.md")
    printed = dict(desk.typed)
    assert any(command.startswith("kill -9") for command in printed)
    sent = int(re.search(r"(\d+) orders sent", printed["cat orders.log"])[1])  # type: ignore[index]
    assert int(printed["curl localhost:8080/count"]) == sent > 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_blocks_that_are_not_run_say_why(page: Path) -> None:
    left_out = [block.reason for block in blocks(page) if block.reason]
    assert len(left_out) <= 2, left_out
    known = {"python", "console", "ini", "yaml", "dockerfile"}
    assert {block.language for block in blocks(page)} <= known, "nothing tests another language"


@pytest.mark.parametrize(
    "page",
    [*PAGES, DOCS / "README.md", DOCS / "reference" / "adapters" / "README.md", *(DOCS / "decisions").glob("*.md")],
)
def test_links_lead_somewhere(page: Path) -> None:
    for found in re.findall(r"\]\(([^)#\s]+)|src(?:set)?=\"([^\"]+)", page.read_text()):
        target = "".join(found)
        if not target.startswith(("http:", "https:")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_decision_is_in_the_index() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = set(re.findall(r"\]\((\d{4}[^)]*)\)", (folder / "README.md").read_text()))
    assert listed == {page.name for page in folder.glob("[0-9]*.md")}
