"""Environments of their own, for originals that cannot be installed beside ours."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

PINS = Path(__file__).parent.parent / "requirements"


def made(name: str) -> str:
    """Make the environment of ``requirements/NAME.txt``, once for each list of pins; its Python."""
    folder, pins = _folder(name), PINS / f"{name}.txt"
    mark = folder / "made-for"
    if not mark.exists() or mark.read_text() != pins.read_text():
        venv.create(folder, clear=True, with_pip=True)
        install = ["-m", "pip", "--disable-pip-version-check", "install", "-qq", "--require-hashes", "-r", str(pins)]
        subprocess.run([python_of(name), *install], check=True, stdout=sys.stderr)
        mark.write_text(pins.read_text())
    return python_of(name)


def python_of(name: str) -> str:
    return str(_folder(name) / "bin" / "python")


def _folder(name: str) -> Path:
    return Path(sys.prefix) / name
