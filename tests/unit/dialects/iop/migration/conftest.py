"""Projects in real folders, and a registry of their own for each test."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

MSG = """
from dataclasses import dataclass
from junctor.dialects.iop import Message

@dataclass
class Order(Message):
    {field}: str = None
"""

BO = """
from junctor.dialects.iop import BusinessOperation, BusinessService, target
from msg import Order

class Store(BusinessOperation):
    def on_message(self, request: Order):
        return Order("{field}")

class Intake(BusinessService):
    Output = target()
"""

Write = Callable[..., Path]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working folder and a path of Python for this test; nothing of the environment counts."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("IOP_NAMESPACE", "IRISNAMESPACE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("IOP_HOME", str(tmp_path / "home"))


@pytest.fixture
def project(tmp_path: Path) -> Write:
    """Writes a project, ``project("shop", "CLASSES = ...", {"lib/more.py": "..."})``, and returns its settings file."""

    def write(name: str, settings: str, files: Mapping[str, str] | None = None) -> Path:
        folder = tmp_path / name
        usual = {"msg.py": MSG.format(field=folder.name), "bo.py": BO.format(field=folder.name)}
        for path, text in {**usual, "settings.py": settings, **(files or {})}.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        return folder / "settings.py"

    return write
