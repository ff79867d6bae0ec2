"""file-in in a node, in virtual time: what is found, when, in which order, and what becomes of it."""

from __future__ import annotations

import gzip
import os
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from junctor import Flow, Service, handler
from junctor.adapters import FileIn
from junctor.errors import SettingError
from junctor.testing import BlockingFlow, running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "in"
    made.mkdir()
    return made


@contextmanager
def reading(folder: Path, **settings: Any) -> Iterator[BlockingFlow]:
    with running(FileIn(folder=folder, **{"ready": "none", **settings})) as plant:
        plant.advance("1s")
        yield plant


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_file_is_read_and_archived(folder: Path) -> None:
    (folder / "a.txt").write_text("one\ntwo\n")
    with reading(folder) as plant:
        assert plant.sent("file-in.out") == ["one", "two"]
        (folder / "a.txt").write_text("three")
        plant.advance("1s")
        assert plant.sent("file-in.out") == ["one", "two", "three"]
    assert files(folder) == [".archive/a-1.txt", ".archive/a.txt"]


def test_deleted_or_archived_under_another_name(folder: Path, tmp_path: Path) -> None:
    (folder / "a.txt").write_text("one")
    with reading(folder, after="delete"):
        assert files(folder) == []
    (folder / "b.txt").write_text("one")
    archive = {"archive": tmp_path / "done", "archive_name": "{now.getFullYear()}/{file.stem}-x{file.suffix}"}
    with reading(folder, **archive):
        assert files(tmp_path) == ["done/2030/b-x.txt"]


def test_which_files_in_which_order(folder: Path) -> None:
    for number, name in enumerate(["b.csv", "a.csv", "c.txt", ".d.csv", "below/e.csv", ".archive/f.csv"]):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(name)
        os.utime(folder / name, (number, number))
    with reading(folder, pattern="*.csv", recursive=True, order="time", after="leave") as plant:
        assert plant.sent("file-in.out") == ["b.csv", "a.csv", "below/e.csv"]
    with reading(folder, pattern="*.csv", after="delete") as plant:
        assert plant.sent("file-in.out") == ["a.csv", "b.csv"]


def test_a_file_is_read_when_it_rests(folder: Path) -> None:
    with reading(folder, ready="stable", stable_for="5s") as plant:
        with (folder / "a.txt").open("w") as file:
            for _ in range(4):
                file.write("x\n")
                file.flush()
                plant.advance("3s")
                assert plant.sent("file-in.out") == []
        plant.advance("3s")
        assert plant.sent("file-in.out") == ["x"] * 4


def test_a_file_is_read_when_its_marker_is_there(folder: Path) -> None:
    (folder / "a.txt").write_text("one")
    with reading(folder, ready="marker") as plant:
        assert plant.sent("file-in.out") == []
        (folder / "a.txt.done").touch()
        plant.advance("1s")
        assert plant.sent("file-in.out") == ["one"]
    assert files(folder) == [".archive/a.txt"]


def test_headers_say_where_a_record_is_from(folder: Path) -> None:
    (folder / "a\nb.csv").write_text('n,t\n1,"x\ny"\n2,z,?\n')

    class Sink(Service):
        seen: list[Any] = []

        @handler
        def take(self, body: Any) -> None:
            self.seen.append((body, dict(self.message.headers)))

    flow = Flow("f").add(FileIn(folder=folder, format="csv", ready="none"), "files", connect={"out": "sink"})
    with running(flow.add(Sink(), "sink")) as plant:
        plant.advance("1s")
        assert Sink.seen == [
            ({"n": "1", "t": "x\ny"}, {"file": "a\\nb.csv", "line": "2"}),
            (["2", "z", "?"], {"file": "a\\nb.csv", "line": "4", "problem": "3 cells for 2 columns"}),
        ]


@dataclass
class Order:
    id: int
    note: str | None = None


class Orders(Service):
    got: list[Order] = []

    @handler
    def take(self, order: Order) -> None:
        self.got.append(order)


def test_records_become_what_the_receiver_takes_and_a_bad_one_is_parked(folder: Path) -> None:
    Orders.got = []
    flow = Flow("f").add(FileIn(folder=folder, format="csv", ready="none"), "files", connect={"out": "orders"})
    with running(flow.add(Orders(), "orders")) as plant:
        with plant.expect_parked("DecodeError", match="Expected `int`"):
            (folder / "a.csv").write_text("id,note\n1,x\nno,y\n3,\n")
            plant.advance("1s")
        assert [order.id for order in Orders.got] == [1, 3]


@dataclass
class Sparse:
    id: int
    text: str
    note: str | None
    value: float | None
    rate: float = 1.5


class Table(Service):
    got: list[Sparse] = []

    @handler
    def take(self, row: Sparse) -> None:
        self.got.append(row)


def test_an_empty_cell_is_nothing_but_where_it_is_text(folder: Path) -> None:
    Table.got = []
    flow = Flow("f").add(FileIn(folder=folder, format="csv", ready="none"), "files", connect={"out": "table"})
    with running(flow.add(Table(), "table")) as plant:
        (folder / "a.csv").write_text("id,text,note,value,rate\n1,,,,\n2,,,3,4\n")
        plant.advance("1s")
        assert Table.got == [Sparse(1, "", "", None), Sparse(2, "", "", 3.0, 4.0)]


@dataclass
class Measured:
    id: int
    value: float | None


class Measurements(Service):
    got: list[Measured] = []

    @handler
    def take(self, measured: Measured) -> None:
        self.got.append(measured)


@pytest.mark.parametrize("text", ["nan", "NaN", "-inf", "Infinity"])
def test_a_number_that_json_cannot_carry_is_parked_and_stops_nothing(folder: Path, text: str) -> None:
    Measurements.got = []
    flow = Flow("f").add(FileIn(folder=folder, format="csv", ready="none"), "files", connect={"out": "to"})
    with running(flow.add(Measurements(), "to")) as plant:
        with plant.expect_parked("DecodeError", match="value"):
            (folder / "a.csv").write_text(f"id,value\n1,2.5\n2,{text}\n3,\n")
            plant.advance("1s")
        assert Measurements.got == [Measured(1, 2.5), Measured(3, None)]
        assert files(folder) == [".archive/a.csv"]


def test_a_file_that_cannot_be_read_is_put_aside_with_a_note(folder: Path, tmp_path: Path) -> None:
    (folder / "a.txt").write_bytes(b"one\ntwo\n\xff\nnever\n")
    (folder / "b.txt").write_text("three\n")
    with reading(folder, quarantine=tmp_path / "bad") as plant:
        assert plant.sent("file-in.out") == ["one", "two", "three"]
        assert files(tmp_path / "bad") == ["a.txt", "a.txt.error"]
        note = (tmp_path / "bad/a.txt.error").read_text()
        assert "line 3: byte 0xff is not utf-8" in note and "byte 8" in note


def test_compressed(folder: Path) -> None:
    (folder / "a.gz").write_bytes(gzip.compress(b"one\ntwo\n"))
    (folder / "b.gz").write_bytes(gzip.compress(os.urandom(5000))[:3000])
    (folder / "c.gz").write_bytes(b"nothing of the kind")
    with reading(folder, compression="gzip", encoding="latin-1", format="text") as plant:
        assert plant.sent("file-in.out") == ["one\ntwo\n"]
    assert files(folder)[1:] == [f".quarantine/{each}" for each in ("b.gz", "b.gz.error", "c.gz", "c.gz.error")]


def test_a_missing_folder_is_an_outage(folder: Path) -> None:
    folder.rmdir()
    with reading(folder) as plant:
        plant.advance("1h")
        assert len(plant.alerts) == 1
        folder.mkdir()
        (folder / "a.txt").write_text("one")
        plant.advance("2m")
        assert plant.sent("file-in.out") == ["one"]


def test_links_and_other_tricks(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (folder / "a.txt").symlink_to(tmp_path / "secret")
    (folder / "b").symlink_to(tmp_path)
    os.mkfifo(folder / "c.txt")
    os.link(tmp_path / "secret", folder / "d\x1b\n.txt")
    (folder / os.fsdecode(b"e\xff.txt")).write_text("bytes")
    with reading(folder, recursive=True, format="text") as plant:
        assert plant.sent("file-in.out") == ["secret", "bytes"]
    with reading(folder, follow_links=True, format="text") as plant:
        assert plant.sent("file-in.out") == ["secret"]
    assert (tmp_path / "secret").read_text() == "secret"
    assert sorted(os.listdir(folder / ".archive")) == ["a.txt", "d\x1b\n.txt", "e\udcff.txt"]


def test_what_is_left_is_remembered_and_may_grow(folder: Path, tmp_path: Path) -> None:
    log = folder / "a.log"
    log.write_text("1\n2\n")
    service = FileIn(folder=folder, ready="none", after="leave")
    with running(service, store=tmp_path / "store") as plant:
        plant.advance("1s")
        plant.restart()
        plant.advance("1s")
        with log.open("a") as file:
            file.write("3\n")
        plant.advance("1s")
        plant.restart()
        assert plant.sent("file-in.out") == ["1", "2", "3"]
        log.unlink()
        plant.advance("1s")
        assert plant.state("file-in", "left") == {}
        log.write_text("1\n")
        plant.advance("1s")
        assert plant.sent("file-in.out") == ["1", "2", "3", "1"]


def test_a_file_that_came_before_is_refused_once(folder: Path) -> None:
    (folder / "a.txt").write_text("one\n")
    with reading(folder, once=True) as plant:
        (folder / ".archive/a.txt").rename(folder / "a.txt")
        plant.advance("1s")
        assert plant.sent("file-in.out") == ["one"]
        (folder / "a.txt").write_text("two\n")
        plant.advance("1s")
        assert plant.sent("file-in.out") == ["one", "two"]


def test_several_nodes_claim_files(folder: Path) -> None:
    for number in range(20):
        (folder / f"{number:02}.txt").write_text(str(number))
    with reading(folder, claim=True, batch=1) as one, reading(folder, claim=True, batch=1) as other:
        for plant in (one, other):
            plant.advance("5s")
        sent = [*one.sent("file-in.out"), *other.sent("file-in.out")]
    assert sorted(sent, key=int) == [str(number) for number in range(20)]
    assert len(files(folder)) == 20


def test_a_full_queue_slows_it_down_and_is_no_outage(folder: Path) -> None:
    lines = [str(number) for number in range(95)]
    (folder / "a.txt").write_text("\n".join(lines))

    class Slow(Service):
        got: list[str] = []

        @handler
        async def take(self, line: str) -> None:
            await self.sleep("1s")
            self.got.append(line)

    service = FileIn(folder=folder, ready="none", batch=10)
    flow = Flow("f").add(service, "files", connect={"out": "slow"}).add(Slow(), "slow", queue={"limit": 15})
    with running(flow) as plant:
        plant.advance("50s")
        assert 40 <= len(Slow.got) <= 60
        plant.advance("60s")
        assert Slow.got == lines
        assert plant.alerts == []
    assert files(folder) == [".archive/a.txt"]


@pytest.mark.parametrize("jump", [-7200, 7200])
def test_a_jump_of_the_clock(folder: Path, jump: int) -> None:
    """Times of files may be of tomorrow or of last year."""
    (folder / "a.txt").write_text("one")
    os.utime(folder / "a.txt", (jump, jump))
    with reading(folder, ready="stable") as plant:
        plant.advance("3s")
        assert plant.sent("file-in.out") == ["one"]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"encoding": "utf-9"}, 'there is no encoding "utf-9"'),
        ({"encoding": "base64"}, 'there is no encoding "base64"'),
        ({"encoding": "utf-16"}, "order of its bytes"),
        ({"format": "json", "encoding": "latin-1"}, "JSON is UTF-8"),
        ({"format": "csv", "header": False}, "nothing names the columns"),
        ({"columns": ["a", "a"]}, "named twice"),
        ({"separator": "\u20ac", "encoding": "latin-1"}, "is not in iso8859-1"),
        ({"encoding": "utf\x008"}, "there is no encoding"),
        ({"format": "csv", "delimiter": "\n"}, "delimiter"),
        ({"format": "csv", "delimiter": ";", "quote": ";"}, "that of the quotes"),
        ({"format": "csv", "quote": "\u201c", "encoding": "latin-1"}, "quote"),
        ({"empty": True}, "an empty file has no record of lines"),
        ({"ready": "marker", "marker": "done"}, "names no marker"),
        ({"after": "leave", "archive": "x"}, "files are not archived"),
        ({"archive": "."}, "it is the folder itself"),
        ({"archive_name": "{body.x}"}, 'there is no "body" here'),
        ({"claim": True, "after": "leave"}, "cannot be left"),
    ],
)
def test_what_does_not_fit(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(SettingError, match=told):
        FileIn(**{"folder": ".", **settings})


def test_memory_stays_flat(folder: Path) -> None:
    """A service by itself: records of a batch are all that it holds."""
    with (folder / "a.jsonl").open("w") as file:
        for number in range(100_000):
            file.write(f'{{"id": {number}, "text": "{"x" * 20}"}}\n')
    service = FileIn(folder=folder, format="json-lines", ready="none")
    service.on_start()
    tracemalloc.start()
    try:
        count = 0
        while service.poll():
            count += len(service.out.sent)
            service.out.sent.clear()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 100_000
    assert peak < 2_500_000 < (folder / ".archive/a.jsonl").stat().st_size
