"""The pins: complete, hashed, of one resolution, and free of any address."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT

FOLDER = ROOT / "requirements"
LOCKED = sorted(FOLDER.glob("*.txt"))


def pins(path: Path) -> dict[str, str]:
    """Name to version, as written at the start of a line."""
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ;\\]+)", path.read_text(), re.MULTILINE))


def names(requirements: list[str]) -> set[str]:
    return {re.sub(r"[-_.]+", "-", re.split(r"[<>=!~;\[ ]", line, maxsplit=1)[0]).lower() for line in requirements}


@pytest.mark.parametrize("path", LOCKED, ids=lambda path: path.name)
def test_a_locked_file_has_hashes_and_no_address(path: Path) -> None:
    text = path.read_text()
    blocks = re.findall(r"^\S[^#\n]*\\\n((?:    --hash=\S+(?: \\)?\n)+)", text, re.MULTILINE)
    pinned = re.findall(r"^[a-z0-9-]+==", text, re.MULTILINE)  # a name twice: one for each version of Python
    assert len(blocks) == len(pinned) > 0, "every pin needs hashes; run `make lock`"
    assert "://" not in text
    assert not re.search(r"^(-|/)|@", text, re.MULTILINE), "only pins may stand here: no options, no paths"


def test_the_pins_cover_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = {"run": names(project["dependencies"])}
    for path in FOLDER.glob("*.in"):
        asked[path.stem] = names([line for line in path.read_text().split("\n") if line and not line.startswith("#")])
    for stem, wanted in asked.items():
        missing = wanted - set(pins(FOLDER / f"{stem}.txt"))
        assert not missing, f"{stem}.txt lacks {sorted(missing)}; run `make lock`"


def test_all_files_are_of_one_resolution() -> None:
    everything = pins(FOLDER / "test.txt")
    for stem in ("run", "build", "example"):
        different = set(pins(FOLDER / f"{stem}.txt").items()) - set(everything.items())
        assert not different, f"{stem}.txt differs from test.txt in {sorted(different)}; run `make lock`"
