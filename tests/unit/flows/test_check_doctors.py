"""What ``junctor check`` tells of the files of services of another system, and of packages that are missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from junctor.flows.check.check import check
from junctor.flows.overrides import Overrides

HEAD = "from base_service import CustomService\n"


def found(*targets: str) -> list[tuple[str, str, str]]:
    report, _ = check(targets, Overrides())
    return [(one.level, one.code, one.place) for one in report.findings]


def test_what_the_doctor_finds_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("Base81.py").write_text(f"{HEAD}class Base81(CustomService):\n    async def process(self, message): ...\n")
    Path("Pump81.py").write_text(
        "from Base81 import Base81\nfrom queue_message import QueueMessage\n"
        "class Other(Base81):\n    async def start(self):\n        self.Debug(1)\n"
    )
    Path("flow.yaml").write_text("flow: f\nservices:\n  pump: {class: Pump81.py:Other}\n")
    assert found("flow.yaml") == [
        ("warning", "method-name", "Base81.py:3"),
        ("warning", "method-name", "Pump81.py:4"),
        ("warning", "missing-await", "Pump81.py:5"),
    ]


def test_a_missing_package_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("Pump82", "Pump83"):
        Path(f"{name}.py").write_text(f"{HEAD}import nowhere82\nclass {name}(CustomService): ...\n")
    Path("flow.yaml").write_text(
        "flow: f\nservices:\n  a: {class: Pump82.py}\n  b: {class: Pump82.py}\n  c: {class: Pump83.py}\n"
    )
    report, _ = check(["flow.yaml"], Overrides())
    (one,) = report.findings
    assert "there is no module nowhere82" in one.what and one.place == "flow.yaml:3"
    assert one.see == ("also needed by b.class: flow.yaml:4", "also needed by c.class: flow.yaml:5")
