"""``junctor new``: what it makes passes its own tests; what it cannot make it refuses, and says what it could."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from junctor.cli.main import main


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("template", ["flow", "minimal"])
def test_its_tests_pass(folder: Path, template: str) -> None:
    assert main(["new", "plant-watch", "--template", template]) == 0
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "JUNCTOR"))}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=folder / "plant-watch",
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


@pytest.mark.parametrize("template", ["flow", "minimal"])
def test_its_files_can_be_read_and_no_word_was_left_open(folder: Path, template: str) -> None:
    assert main(["new", "plant", "--template", template, "--docker"]) == 0
    made = folder / "plant"
    names = {str(path.relative_to(made)) for path in made.rglob("*") if path.is_file()}
    assert {"README.md", "pyproject.toml", ".gitignore", ".vscode/launch.json", "Dockerfile", "compose.yaml"} <= names
    for name in names:
        assert "{{" not in (made / name).read_text(), name
    assert tomllib.loads((made / "pyproject.toml").read_text())["project"]["name"] == "plant"
    launch = json.loads((made / ".vscode" / "launch.json").read_text())["configurations"][0]
    assert launch["module"] == "junctor" and (made / launch["args"][1]).is_file()
    assert ".junctor/" in (made / ".gitignore").read_text()
    dockerfile = (made / "Dockerfile").read_text()
    for word in ("USER junctor", "HEALTHCHECK", '"junctor", "health"', "STOPSIGNAL SIGTERM", "VOLUME /data"):
        assert word in dockerfile


@pytest.mark.parametrize(
    ("name", "better"),
    [
        ("Plant Watch", '"plant-watch"'),
        ("9lives", '"my-9lives"'),
        ("json", '"my-json"'),
        ("class", '"my-class"'),
        ("junctor", '"my-junctor"'),
        ("größe", '"gr-e"'),
        ("-", '"my"'),
        ("x" * 200, f'"{"x" * 60}"'),
    ],
)
def test_a_wrong_name_is_answered_with_the_nearest_right_one(
    folder: Path, name: str, better: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["new", "--", name]) != 0
    assert better in capsys.readouterr().err
    assert list(folder.iterdir()) == []


def test_an_empty_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", ""]) == 2
    assert "give the project a name" in capsys.readouterr().err


def test_a_folder_with_something_in_it_stays_as_it_is(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "plant").mkdir()
    (folder / "plant" / "thesis.txt").write_text("mine")
    assert main(["new", "plant"]) != 0
    assert "not empty: thesis.txt" in capsys.readouterr().err
    assert [path.name for path in (folder / "plant").iterdir()] == ["thesis.txt"]


def test_a_fresh_repository_counts_as_empty_and_its_files_stay(folder: Path) -> None:
    place = folder / "plant"
    (place / ".git").mkdir(parents=True)
    (place / ".gitignore").write_text("mine")
    assert main(["new", str(place)]) == 0
    assert (place / ".gitignore").read_text() == "mine"
    assert (place / "flow.yaml").is_file()
