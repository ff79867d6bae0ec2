"""The Dockerfile of docs/howto/containers.md, step by step without Docker: its words, in an environment and a process
namespace of the test's own."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT
from tests.packaging.test_wheel import clean

PAGE = ROOT / "docs" / "howto" / "containers.md"
FIRST = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        shutil.which("unshare") is None or subprocess.run([*FIRST, "true"], capture_output=True).returncode != 0,
        reason="this user may not make a process namespace",
    ),
]


def fenced(language: str) -> str:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)[0]


def steps() -> list[tuple[str, str]]:
    return [tuple(line.split(" ", 1)) for line in fenced("dockerfile").splitlines() if line]  # type: ignore[misc]


def words_of(step: str) -> list[str]:
    """The exec form of a step; HEALTHCHECK has it behind its CMD."""
    said = dict(steps())[step]
    return list(json.loads(said[said.index("[") :]))


@pytest.fixture
def image(short_dir: Path, python: Path) -> Iterator[tuple[Path, dict[str, str]]]:
    """What the steps before CMD leave: a folder with the copied files, and the variables."""
    app, data = short_dir / "app", short_dir / "data"
    app.mkdir()
    data.mkdir(mode=0o700)
    env = clean() | {"PATH": f"{python.parent}:{os.environ['PATH']}"}
    for name, said in steps():
        if name == "COPY":
            source, target = said.split()
            assert target == "." and fenced("python").startswith(f"# {source}\n"), "the page shows what it copies"
            (app / source).write_text(fenced("python"))
        elif name == "ENV":
            env |= dict(pair.split("=", 1) for pair in said.split())
    env["JUNCTOR_STORE"] = env["JUNCTOR_STORE"].replace("/data", str(data))
    yield app, env


def test_the_packages_of_the_image_are_the_wheel(python: Path) -> None:
    (asked,) = [said for name, said in steps() if name == "RUN" and "pip install" in said]
    assert asked == "pip install --no-cache-dir junctor"
    done = subprocess.run([python, "-c", "import junctor.node.process.first"], env=clean(), capture_output=True)
    assert done.returncode == 0


def test_the_image_runs_is_healthy_and_stops(image: tuple[Path, dict[str, str]], free_port: int) -> None:
    app, env = image
    command = [str(free_port) if word == "8080" else word for word in words_of("CMD")]
    with (app / "out").open("w") as out:
        container = subprocess.Popen([*FIRST, *command], cwd=app, env=env, stdout=out, stderr=subprocess.STDOUT)
    try:
        until = time.monotonic() + 30
        while subprocess.run(words_of("HEALTHCHECK"), cwd=app, env=env, capture_output=True).returncode:
            assert container.poll() is None and time.monotonic() < until, (app / "out").read_text()
            time.sleep(0.1)
        said = (app / "out").read_text()
        assert "reachable from other machines" in said  # 0.0.0.0 is announced
        (first,) = Path(f"/proc/{container.pid}/task/{container.pid}/children").read_text().split()
        os.kill(int(first), signal.SIGTERM)
        assert container.wait(10) == 0, (app / "out").read_text()
        health = subprocess.run(words_of("HEALTHCHECK"), cwd=app, env=env, capture_output=True)
        assert health.returncode == 2
    finally:
        container.kill()
        container.wait()
