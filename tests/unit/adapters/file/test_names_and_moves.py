"""Names of files, files that are finished, and moves that an end of the process cannot spoil."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from junctor import Park
from junctor.adapters.file.folder import Found
from junctor.adapters.file.moving import move
from junctor.adapters.file.names import checked, kept, numbered, part, restored, shown
from junctor.adapters.file.readiness import Marker, Stability
from junctor.adapters.file.writing import End, Line, Spot, append


@given(st.binary(min_size=1, max_size=50).filter(lambda name: b"\0" not in name))
def test_any_name_can_be_kept_and_shown(raw: bytes) -> None:
    name = os.fsdecode(raw)
    assert restored(kept(name)) == name
    kept(name).encode()
    shown(name).encode()
    assert shown(name).isprintable()


def test_a_name_as_people_read_it() -> None:
    assert shown("Bestellung Nr. 1 ä.csv") == "Bestellung Nr. 1 ä.csv"
    assert shown("a\nb\x1b\udcff") == "a\\nb\\x1b\\xff"
    assert numbered("x/a.tar.gz", 2) == "x/a.tar-2.gz"


@given(st.text())
def test_a_part_of_a_name_stays_one_step(text: str) -> None:
    try:
        assert os.path.dirname(f"/folder/{part(text)}") == "/folder"
    except Park:
        pass


@pytest.mark.parametrize("name", ["", "a//b", "../a", "a/", "/a", "a/./b", "x" * 256])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(Park):
        checked(name)


def test_a_file_rests_when_it_stays_the_same_between_looks() -> None:
    stability = Stability(2.0)
    file, longer = Found("a", 1, 1), Found("a", 2, 1)
    assert [stability.ready([file], now) for now in (100.0, 101.0)] == [[], []]
    assert stability.ready([longer], 102.0) == []
    assert stability.ready([longer], 103.0) == []
    assert stability.ready([longer], 104.0) == [longer]


def test_a_clock_that_jumps_neither_hurries_nor_stops_it() -> None:
    stability = Stability(2.0)
    file, new = Found("a", 1, 1), Found("b", 1, 1)
    stability.ready([file], 100.0)
    assert stability.ready([file], 99_999.0) == [file]  # one look passed, whatever the clock says
    assert stability.ready([new], 50.0) == []
    assert [bool(stability.ready([new], now)) for now in (51.0, 52.0)] == [False, True]


def test_markers() -> None:
    marker = Marker("{name}.done")
    assert marker.of("x/a.csv") == "x/a.csv.done"
    assert marker.is_one("x/a.csv.done") and not marker.is_one("a.csv") and not marker.is_one(".done")


def test_a_move_never_hits_another_file(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    for number in range(3):
        (tmp_path / "a.txt").write_text(str(number))
        move(str(tmp_path / "a.txt"), str(archive), "below/a.txt")
    assert {path.name: path.read_text() for path in (archive / "below").iterdir()} == {
        "a.txt": "0",
        "a-1.txt": "1",
        "a-2.txt": "2",
    }


def test_a_move_that_was_ended_between_its_steps_is_finished(tmp_path: Path) -> None:
    source, archive = tmp_path / "a.txt", tmp_path / "archive"
    source.write_text("x")
    archive.mkdir()
    os.link(source, archive / "a.txt")
    assert move(str(source), str(archive), "a.txt") == "a.txt"
    assert [path.name for path in archive.iterdir()] == ["a.txt"] and not source.exists()


def test_a_move_to_another_disk(tmp_path: Path) -> None:
    other = Path("/dev/shm")
    if not other.exists() or other.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no other disk")
    folder = other / f"junctor-{os.getpid()}"
    source = tmp_path / "a.txt"
    try:
        for number in range(2):
            source.write_text(str(number))
            move(str(source), str(folder), "a.txt")
        assert sorted(path.name for path in folder.iterdir()) == ["a-1.txt", "a.txt"]
        assert not source.exists()
    finally:
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()


@given(st.lists(st.binary(min_size=1, max_size=5), min_size=1, max_size=5), st.data())
def test_lines_are_written_once_wherever_a_run_ends(lines: list[bytes], data: st.DataObject) -> None:
    """A run writes some lines of which only some are committed, and may be torn in the last one; the next run gets all
    that were not committed again, in order."""
    import tempfile

    lines = [line.replace(b"\n", b".") + b"\n" for line in lines]
    written = data.draw(st.integers(0, len(lines)), "lines that the first run wrote")
    committed = data.draw(st.integers(0, written), "lines of them that are committed")
    with tempfile.TemporaryDirectory() as folder:
        spot = Spot(folder, "all")
        path = Path(spot.path)
        known: End | None = None
        ends: list[End | None] = [None]
        for line in lines[:written]:
            known = append(spot, Line(data=line, known=known))
            ends.append(known)
        if written > committed:
            torn = data.draw(st.integers(1, len(lines[written - 1])), "bytes of the last line")
            os.truncate(path, path.stat().st_size - len(lines[written - 1]) + torn)
        known = ends[committed]
        inherited = path.stat().st_size if path.exists() else 0
        for line in lines[committed:]:
            known = append(spot, Line(data=line, known=known, inherited=inherited))
        assert path.read_bytes() == b"".join(lines)


def test_a_move_to_another_disk_is_done_once(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as other:
        if os.stat(other).st_dev == tmp_path.stat().st_dev:
            pytest.skip("there is one file system alone")
        source = Path(other, "a.txt")
        source.write_text("1")
        shutil.copy2(source, tmp_path / "a.txt")  # as far as it came before a kill
        assert move(str(source), str(tmp_path), "a.txt") == "a.txt"
        source.write_text("2")
        assert move(str(source), str(tmp_path), "a.txt") == "a-1.txt"
        assert os.listdir(other) == []


def test_a_line_is_known_where_the_clock_of_files_is_a_little_behind(tmp_path: Path) -> None:
    spot, since = Spot(str(tmp_path), "all"), 1_000_000_000_000_000_000
    line = Line(data=b"one\n", since=since)
    append(spot, line)
    os.utime(spot.path, ns=(since, since - 4_000_000))
    append(spot, msgspec.structs.replace(line, inherited=4))  # after a kill
    assert Path(spot.path).read_bytes() == b"one\n"
