"""file-out in a node: a file a message, a line a message, and what names and disks may do to them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from junctor import Flow
from junctor.adapters import FileOut
from junctor.errors import SettingError
from junctor.testing import BlockingFlow, running


@contextmanager
def writing(folder: Path, *bodies: Any, **settings: Any) -> Iterator[BlockingFlow]:
    service = FileOut(**{"folder": folder, "create": True, "file": "{body.id}.json", **settings})
    with running(service, start=datetime(2026, 11, 20, 23, 30, tzinfo=UTC)) as plant:
        for body in bodies:
            plant.send("file-out", body)
        yield plant


def content(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_a_file_a_message(tmp_path: Path) -> None:
    with writing(tmp_path, {"id": 1}, {"id": "zwei"}, {"id": 1, "new": True}, marker="{name}.ok", permissions="640"):
        found = content(tmp_path)
    assert found == {
        "1.json": '{"id":1,"new":true}\n',
        "1.json.ok": "",
        "zwei.json": '{"id":"zwei"}\n',
        "zwei.json.ok": "",
    }
    assert (tmp_path / "1.json").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("settings", "body", "expected"),
    [
        ({"format": "text"}, "hello", "hello\n"),
        ({"format": "text", "content": "'id ' + string(body.id)"}, {"id": 7}, "id 7\n"),
        ({"format": "text", "encoding": "latin-1", "content": "'\u00e4'"}, {}, None),
        ({"format": "bytes"}, "aGk=", "hi"),
        ({"format": "json", "content": "body.id"}, {"id": [1]}, "[1]\n"),
        ({"format": "csv", "columns": {"a": "body.a", "b": "body.b"}}, {"a": 'x,"', "b": None}, 'a,b\n"x,""",\n'),
    ],
)
def test_what_is_written(tmp_path: Path, settings: dict[str, Any], body: Any, expected: str | None) -> None:
    with writing(tmp_path, body, file="a", **settings):
        assert (tmp_path / "a").read_bytes() == (b"\xe4\n" if expected is None else expected.encode())


def test_lines_of_a_file_by_day(tmp_path: Path) -> None:
    with writing(tmp_path, {"id": 1}, mode="append", format="json-lines", file="all-{file.date}.jsonl") as plant:
        plant.send("file-out", {"id": 2})
        plant.advance("1h")
        plant.send("file-out", {"id": 3})
    assert content(tmp_path) == {
        "all-2026-11-20.jsonl": '{"id":1}\n{"id":2}\n',
        "all-2026-11-21.jsonl": '{"id":3}\n',
    }


def test_a_file_that_becomes_too_long_is_put_away(tmp_path: Path) -> None:
    bodies = [{"id": number} for number in range(5)]
    settings = {"mode": "append", "format": "csv", "columns": {"id": "body.id"}, "file": "all.csv", "rotate_size": 8}
    with writing(tmp_path, *bodies, marker="{name}.done", **settings):
        assert content(tmp_path) == {
            "all-20261120T233000.csv": "id\n0\n1\n",
            "all-20261120T233000.csv.done": "",
            "all-20261120T233000-1.csv": "id\n2\n3\n",
            "all-20261120T233000-1.csv.done": "",
            "all.csv": "id\n4\n",
        }


@pytest.mark.parametrize("value", ["../x", "a/b", "..", ".", "", "a\\b", "a\n", "x" * 300, "\x00"])
def test_a_value_cannot_lead_out_of_the_folder(tmp_path: Path, value: str) -> None:
    inner = tmp_path / "out"
    with writing(inner, file="{body.id}") as plant, plant.expect_parked("Park"):
        plant.send("file-out", {"id": value})
    assert content(tmp_path) == {}


def test_a_link_does_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "else").mkdir()
    (tmp_path / "else/all").write_text("")
    (tmp_path / "out/a").symlink_to(tmp_path / "else")
    with writing(tmp_path / "out", file="a/{body.id}") as plant, plant.expect_parked("Park"):
        plant.send("file-out", {"id": "x"})
    assert content(tmp_path / "else") == {"all": ""}


def test_a_name_that_a_folder_has_is_the_fault_of_the_message(tmp_path: Path) -> None:
    with writing(tmp_path) as plant:
        (tmp_path / "1.json").mkdir()
        with plant.expect_parked("IsADirectoryError"):
            plant.send("file-out", {"id": 1})
        plant.send("file-out", {"id": 2})
    assert content(tmp_path) == {"2.json": '{"id":2}\n'}


def test_a_missing_folder_holds(tmp_path: Path) -> None:
    with writing(tmp_path / "out", {"id": 1}, {"id": 2}, create=False) as plant:
        plant.advance("1h")
        assert plant.parked == []
        (tmp_path / "out").mkdir()
        plant.advance("2m")
        assert content(tmp_path / "out") == {"1.json": '{"id":1}\n', "2.json": '{"id":2}\n'}


def test_lines_of_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "all"
    path.write_text("# of others")
    with writing(tmp_path, {"id": 1}, mode="append", format="json-lines", file="all") as plant:
        with path.open("a") as file:
            file.write("# more\n")
        plant.send("file-out", {"id": 2})
        path.unlink()
        plant.send("file-out", {"id": 3})
        os.truncate(path, 4)
        plant.send("file-out", {"id": 4})
    assert path.read_text() == '{"id\n{"id":4}\n'


def test_several_at_once_cannot_append(tmp_path: Path) -> None:
    service = FileOut(folder=tmp_path, file="all", mode="append", format="json-lines")
    with running(Flow("f").add(service, "out", pool=2)) as plant, plant.expect_parked("StateError"):
        plant.send("out", {"id": 1})


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """An empty disk of 256 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can make a small disk, and not everywhere")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("mode", ["append", "replace"])
def test_a_disk_that_fills_holds_and_nothing_is_torn(disk: Path, mode: str) -> None:
    (disk / "filler").write_bytes(bytes(200 * 1024))
    bodies = [{"id": number, "text": "x" * 9000} for number in range(10)]
    name = "all" if mode == "append" else "{body.id}"
    settings = {"mode": mode, "format": "json-lines" if mode == "append" else "json", "file": name}
    with writing(disk, *bodies, **settings) as plant:
        plant.advance("10m")
        assert plant.parked == []
        assert len(plant.alerts) == 1
        (disk / "filler").unlink()
        plant.advance("2m")
    lines = (disk / "all").read_text().splitlines() if mode == "append" else list(content(disk).values())
    assert sorted(len(line.rstrip("\n")) for line in lines) == [9018] * 10
    assert not list(disk.glob(".*"))


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"mode": "append"}, "json has no lines"),
        ({"format": "csv"}, "nothing says what the columns are"),
        ({"rotate_size": 10}, "only a file that is appended to grows"),
        ({"marker": "done"}, "names no marker"),
        ({"mode": "append", "format": "text", "marker": "{name}.done"}, "never finished"),
        ({"encoding": "nix"}, 'no encoding "nix"'),
        ({"permissions": "rw"}, "does not match"),
        ({"file": "{body.id"}, "a brace is not closed"),
        ({"file": "{response.id}"}, 'there is no "response" here'),
        ({"file": "../{body.id}"}, "is no name of a file"),
        ({"file": ""}, "is no name of a file"),
        ({"content": "topic"}, 'there is no "topic" here'),
        ({"format": "csv", "columns": {"a": "response"}}, 'there is no "response" here'),
        ({"format": "csv", "columns": {"a": "body"}, "delimiter": "\n"}, "delimiter"),
        ({"format": "text", "encoding": "base64"}, "no encoding"),
        ({"format": "text", "encoding": "utf-16", "mode": "append"}, "order of its bytes"),
    ],
)
def test_what_does_not_fit(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(SettingError, match=told):
        FileOut(**{"folder": ".", "file": "a", **settings})


LINE: dict[str, Any] = {"mode": "append", "format": "json-lines"}


@pytest.mark.parametrize(
    ("settings", "bad"),
    [
        ({"marker": "{name}.done"}, "x" * 253),
        (LINE, "link"),
        (LINE, "pipe"),
        ({"file": "{body.id}/x"}, "file"),
        ({"file": "{body.id}/x"}, "loop"),
    ],
)
def test_a_name_that_nothing_can_be_written_to_is_the_fault_of_the_message(
    tmp_path: Path, settings: dict[str, Any], bad: str
) -> None:
    (tmp_path / "link").symlink_to("/nowhere/at/all")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").write_text("")
    os.mkfifo(tmp_path / "pipe")
    with writing(tmp_path, **{"file": "{body.id}", **settings}) as plant:
        with plant.expect_parked():
            plant.send("file-out", {"id": bad})
        plant.send("file-out", {"id": "ok"})
    assert '{"id":"ok"}\n' in content(tmp_path).values()


def test_a_file_with_a_long_name_is_put_away(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"file": "{body.id}.txt", "rotate_size": 1, "marker": "{name}.done", **LINE}
    with writing(tmp_path, *[{"id": "x" * 246}] * 3, **settings):
        pass
    assert len([name for name in content(tmp_path) if name.endswith(".txt")]) == 3


def test_a_link_has_no_folder_made_outside(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "else").mkdir()
    (tmp_path / "out/a").symlink_to(tmp_path / "else")
    with writing(tmp_path / "out", file="{body.id}/b/c") as plant, plant.expect_parked("Park"):
        plant.send("file-out", {"id": "a"})
    assert list((tmp_path / "else").iterdir()) == []
