"""file-in as an object: one look after the other, and what happens to a file between two of them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from junctor.adapters import FileIn

LINES = [f"{number:04}" for number in range(100)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "a.txt"
    made.write_text("".join(f"{line}\n" for line in LINES))
    return made


def started(path: Path, **settings: object) -> FileIn:
    """A service that has read two batches of ten lines."""
    service = FileIn(folder=path.parent, ready="none", batch=10, **settings)
    service.on_start()
    assert service.poll() and service.poll()
    return service


def truncate(path: Path) -> None:
    os.truncate(path, 50)


def overwrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(200)
        file.write(b"9999")
    os.utime(path, (1, 1))


def vanish(path: Path) -> None:
    path.unlink()


def replace(path: Path) -> None:
    path.with_suffix(".new").write_text("another\n" * 100)
    path.with_suffix(".new").rename(path)


def go_on(service: FileIn) -> None:
    while service.poll():
        pass


@pytest.mark.parametrize("change", [truncate, overwrite])
def test_a_file_that_changes_while_it_is_open(path: Path, change: Callable[[Path], None]) -> None:
    service = started(path)
    change(path)
    go_on(service)
    assert service.out.sent == LINES[:20]
    assert "changed while it was read" in (path.parent / ".quarantine/a.txt.error").read_text()
    assert (path.parent / ".quarantine/a.txt").exists()


@pytest.mark.parametrize("change", [vanish, replace])
def test_a_file_that_is_gone_while_it_is_open_is_read_to_its_end(path: Path, change: Callable[[Path], None]) -> None:
    service = started(path)
    change(path)
    go_on(service)
    assert service.out.sent[:100] == LINES
    assert service.out.sent[100:] == ([] if change is vanish else ["another"] * 100)


@pytest.mark.parametrize("change", [truncate, overwrite, vanish, replace])
def test_a_file_that_changed_while_the_node_was_down(path: Path, change: Callable[[Path], None]) -> None:
    service = started(path)
    service.on_stop()
    change(path)
    go_on(service)
    assert service.out.sent == LINES[:20] + (["another"] * 100 if change is replace else [])
    assert (path.parent / ".quarantine/a.txt.error").exists()


@pytest.mark.parametrize("change", [truncate, overwrite, replace])
def test_it_is_read_anew_where_a_setting_says_so(path: Path, change: Callable[[Path], None]) -> None:
    service = started(path, changed="anew")
    service.on_stop()
    change(path)
    expected = path.read_text().splitlines()
    go_on(service)
    assert service.out.sent == [*LINES[:20], *expected]


def test_what_is_written_behind_its_end_is_read(path: Path) -> None:
    service = started(path)
    with path.open("a") as file:
        file.write("more\n")
    go_on(service)
    assert service.out.sent == [*LINES, "more"]


def test_the_end_of_a_file_that_grew_before_it_could_be_archived(path: Path) -> None:
    service = started(path)
    while service.out.sent[-1] != LINES[-1]:
        service.poll()
    with path.open("a") as file:
        file.write("more\n")
    go_on(service)
    assert service.out.sent == [*LINES, "more"]
    assert [each.name for each in (path.parent / ".archive").iterdir()] == ["a.txt"]


def test_after_an_error_of_the_disk_it_goes_on_where_it_was(path: Path) -> None:
    path.write_text("".join(f"{line * 1000}\n" for line in LINES))
    service = started(path)
    assert service._reading is not None
    os.close(service._reading._raw.fileno())
    with pytest.raises(OSError):
        go_on(service)
    go_on(service)
    assert [line[:4] for line in service.out.sent] == LINES


def test_a_folder_that_is_unmounted_is_no_folder_without_files(path: Path) -> None:
    service = started(path)
    service.on_stop()
    progress = service.state["progress"]
    progress["current"]["identity"]["device"] += 1
    service.state["progress"] = progress
    path.rename(path.with_suffix(".away"))
    with pytest.raises(OSError, match="is it mounted"):
        service.poll()


def test_what_has_ended_before_a_restart_is_finished_after_it(path: Path) -> None:
    for after in ("leave", "delete"):
        first = FileIn(folder=path.parent, ready="none", after=after)
        first.on_start()
        assert first.poll()
        second = FileIn(folder=path.parent, ready="none", after=after)
        second.state["progress"] = first.state["progress"]
        second.on_start()
        go_on(second)
        assert (first.out.sent, second.out.sent) == (LINES, [])
    assert not path.exists()


def test_a_bad_file_that_has_to_stay_is_left_out_until_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"one\n\xff\n")
    service = FileIn(folder=tmp_path, ready="none", after="leave")
    service.on_start()
    go_on(service)
    go_on(service)
    assert service.out.sent == ["one"]
    path.write_bytes(b"one\ntwo\n")
    go_on(service)
    assert service.out.sent == ["one", "one", "two"]
    assert os.listdir(tmp_path) == ["a.txt"]


def test_very_many_small_files_end_in_several_commits(tmp_path: Path) -> None:
    for number in range(1100):
        (tmp_path / f"{number}").touch()
    service = FileIn(folder=tmp_path, ready="none", batch=100_000, after="delete")
    service.on_start()
    go_on(service)
    assert os.listdir(tmp_path) == []


def test_many_small_files_share_a_commit(tmp_path: Path) -> None:
    for number in range(25):
        (tmp_path / f"{number:02}.txt").write_text(str(number))
    service = FileIn(folder=tmp_path, ready="none", batch=10)
    service.on_start()
    looks = 0
    while service.poll():
        looks += 1
    assert service.out.sent == [str(number) for number in range(25)]
    assert looks == 4


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_does_not_stop_the_others(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    (tmp_path / "a").chmod(0)
    service = FileIn(folder=tmp_path, ready="none")
    service.on_start()
    go_on(service)
    assert service.out.sent == ["b"]


def read_all(folder: Path, **settings: object) -> FileIn:
    service = FileIn(folder=folder, ready="none", **settings)
    service.on_start()
    go_on(service)
    service.on_stop()
    return service


@pytest.mark.parametrize("suffix", [".txt", "." + "b" * 200])
def test_a_name_as_long_as_a_disk_takes_comes_twice(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"{'a' * (255 - len(suffix))}{suffix}"
    for text in "12":
        path.write_text(text)
        assert read_all(tmp_path).out.sent == [text]
    archived = list((tmp_path / ".archive").iterdir())
    assert sorted(path.read_text() for path in archived) == ["1", "2"]
    assert path.name in {path.name for path in archived}


def test_a_note_stands_beside_a_file_with_a_name_as_long_as_a_disk_takes(tmp_path: Path) -> None:
    for _ in range(2):
        (tmp_path / ("a" * 255)).write_bytes(b"\xff\n")
        read_all(tmp_path)
    put_aside = {path.name for path in (tmp_path / ".quarantine").iterdir()}
    notes = {name for name in put_aside if name.endswith(".error")}
    assert len(notes) == 2 and {note.removesuffix(".error") for note in notes} == put_aside - notes


@pytest.mark.parametrize("bad", [b"", b"\xff"])
def test_a_file_in_the_archive_has_the_name_of_a_folder(tmp_path: Path, bad: bytes) -> None:
    (tmp_path / "a").write_bytes(b"1\n" + bad)
    read_all(tmp_path, recursive=True)
    (tmp_path / "a").mkdir()
    (tmp_path / "a/b").write_bytes(b"2\n" + bad)
    read_all(tmp_path, recursive=True)
    place = tmp_path / (".quarantine" if bad else ".archive")
    assert {path.name for path in place.iterdir()} == ({"a", "a.error", "b", "b.error"} if bad else {"a", "b"})


@pytest.mark.parametrize(("name", "depth"), [("d", 1200), ("d" * 200, 30)])
def test_folders_as_deep_as_somebody_likes(tmp_path: Path, name: str, depth: int) -> None:
    inner = os.open(tmp_path, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir(name, dir_fd=inner)
        outer, inner = inner, os.open(name, os.O_RDONLY, dir_fd=inner)
        os.close(outer)
    os.close(inner)
    (tmp_path / "a.txt").write_text("1\n")
    try:
        assert read_all(tmp_path, recursive=True).out.sent == ["1"]
    finally:
        subprocess.run(["rm", "-r", tmp_path / name], check=True)  # the library would not come down there


def test_a_header_of_very_many_columns(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(",".join(f"c{number}" for number in range(100_000)) + "\n1\n")
    assert read_all(tmp_path, format="csv").out.sent == [{"c0": "1"}]
