"""What a capture says of code, settings and hops, and that nothing secret gets into it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import msgspec
import pytest

from junctor import Service, setting
from junctor.core.spec import ServicePlan
from junctor.flows import FlowModel, wire
from junctor.messages import Kind, Message, Status
from junctor.node.capture.code import code_of, commit_of, distribution_of, project_of
from junctor.node.capture.hops import BYTE_LIMIT, captured_hops
from junctor.node.capture.services import captured_services, settings_of
from junctor.observe.secrets import register
from junctor.settings import Secret
from junctor.transports.base import Record
from tests.unit.node.test_views import SESSION, START, Shelf

NOW = 4e9
"""A start of the node after all files."""


@dataclass(frozen=True)
class Place:
    host: str
    password: Secret


class Line(Service):
    token: str = setting(secret=True)
    key: Secret | None = setting(None)
    places: list[Place] = setting([])
    url: str = setting("")
    pause: float = setting(2.5)
    folder: Path = setting(Path("/data"))


def plan(**settings: object) -> ServicePlan:
    return wire(FlowModel("f").add(Line(**settings), "line")).plan.services[0]


def test_secrets_are_masked_wherever_they_are() -> None:
    register(["hunter2-in-a-text"])
    given = plan(
        token="abcd-efgh",
        key=Secret("key-of-gold"),
        places=[Place("db", Secret("pass-of-silver"))],
        url="https://me:hunter2-in-a-text@host",
    )
    shown, hidden = settings_of(given, Line)
    text = json.dumps(shown)
    for secret in ("abcd", "gold", "silver", "hunter2"):
        assert secret not in text
    assert shown["token"] == shown["key"] == "***"
    assert shown["places"] == [{"host": "db", "password": "***"}]
    assert shown["url"] == "https://me:***@host"
    assert (shown["pause"], shown["folder"]) == (2.5, "/data")
    assert hidden == ["key", "places", "token", "url"]


def test_a_service_with_its_code() -> None:
    wiring = wire(FlowModel("f").add(Line(token="abcd-efgh"), "line"))
    (service,) = captured_services([wiring], {"f/line", "f/other"}, NOW)
    assert (service.address, service.code.name) == ("f/line", "Line")
    assert service.code.file.endswith("test_capture.py") and not service.code.file.startswith("/")
    assert len(service.code.sha256) == 64 and not service.code.changed
    assert service.policies["retry"]["attempts"] == 5
    assert msgspec.json.encode(service)
    assert code_of(Line, 1.0).changed, "the file is younger than that node"


def test_code_without_a_file() -> None:
    typed = ModuleType("typed")
    exec("class Service: ...", vars(typed))  # as typed into an interpreter
    assert code_of(typed, NOW).sha256 == ""
    assert distribution_of("msgspec").startswith("msgspec 0.")
    assert distribution_of("no_such_module") == ""


def git(folder: Path, *words: str) -> str:
    config = [
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@b.c",
        "-c",
        "init.defaultBranch=main",
        "-c",
        "commit.gpgsign=false",
    ]
    done = subprocess.run(["git", *config, *words], cwd=folder, capture_output=True, text=True, check=True, timeout=30)
    return done.stdout.strip()


def test_the_commit_is_that_of_git(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    git(project, "init", "-q")
    assert commit_of(project) == "", "no commit yet"
    git(project, "commit", "-q", "--allow-empty", "-m", "one")
    head = git(project, "rev-parse", "HEAD")
    assert commit_of(project) == head
    git(project, "pack-refs", "--all")
    assert commit_of(project) == head, "packed"
    git(project, "worktree", "add", "-q", "-b", "other", str(tmp_path / "tree"))
    git(tmp_path / "tree", "commit", "-q", "--allow-empty", "-m", "two")
    assert commit_of(tmp_path / "tree") == git(tmp_path / "tree", "rev-parse", "HEAD") != head
    git(project, "checkout", "-q", "--detach")
    assert commit_of(project) == head, "no branch"
    assert project_of(project / "src" / "a.py") == project


@pytest.mark.parametrize("content", ["", "ref: refs/heads/gone", "not a commit", "\xff"])
def test_a_repository_that_cannot_be_read_has_no_commit(tmp_path: Path, content: str) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_bytes(content.encode("latin-1"))
    assert commit_of(tmp_path) == ""


def record(seq: int, payload: object) -> Record:
    return Record(Message(seq, "n", SESSION, Kind.SEND, "f/a", "f/b", "T", payload, START + seq), Status.DONE, 1)


def test_bodies_as_they_are() -> None:
    shelf = Shelf(record(1, b'{"a":1.0}'), record(2, b'{"a":'), record(3, b"\xff\xfe"), record(4, {"by": "reference"}))
    hops, left_out = captured_hops(shelf, SESSION)
    assert [hop.body for hop in hops] == [{"a": 1.0}, '{"a":', "\ufffd\ufffd", {"by": "reference"}]
    assert left_out == 0


def test_a_capture_has_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    large = b'"' + b"x" * (BYTE_LIMIT // 3) + b'"'
    hops, left_out = captured_hops(Shelf(*(record(seq, large) for seq in range(1, 6))), SESSION)
    assert (len(hops), left_out) == (2, 3)
    monkeypatch.setattr(sys.modules["junctor.node.capture.hops"], "HOP_LIMIT", 300)
    hops, left_out = captured_hops(Shelf(*(record(seq, b"1") for seq in range(1, 1001))), SESSION)
    assert (len(hops), left_out) == (300, 700)
    assert captured_hops(Shelf(), SESSION) == ([], 0)
