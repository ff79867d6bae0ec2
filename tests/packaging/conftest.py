"""The package as it is uploaded and installed, made once for all tests and all processes of a run."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], None]], Path]:
    """Makes a folder of this name with what a function puts into it, unless another process of this run has made it."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def make(name: str, fill: Callable[[Path], None]) -> Path:
        folder, whole = shared / name, shared / f"{name}.whole"
        with (shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not whole.exists():
                fill(folder)
                whole.touch()
        return folder

    return make


@pytest.fixture(scope="session")
def built(made: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    """A folder with sdist and wheel; the wheel is built from the sdist, as for an upload."""

    def build(folder: Path) -> None:
        words = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
        done = subprocess.run(words, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr

    return made("dist", build)


@pytest.fixture(scope="session")
def wheel(built: Path) -> Path:
    (found,) = built.glob("*.whl")
    return found


@pytest.fixture(scope="session")
def python(wheel: Path, made: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    """The Python of a new environment that has the wheel, and the pins of run.txt by their hashes, and nothing else."""

    def install(folder: Path) -> None:
        venv.create(folder, with_pip=False, symlinks=True)
        target = str(folder / "bin" / "python")
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", target, "install", "-q"]
        for words in (["--require-hashes", "-r", str(ROOT / "requirements" / "run.txt")], ["--no-deps", str(wheel)]):
            done = subprocess.run([*pip, *words], capture_output=True, text=True, timeout=250)
            assert done.returncode == 0, done.stdout + done.stderr

    return made("venv", install) / "bin" / "python"
