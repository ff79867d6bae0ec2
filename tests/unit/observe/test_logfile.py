"""The log of a node on disk: whole lines, bounded, in order, and never a reason to stop."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from junctor.observe.logfile import FILE, LogFile, LogReader, files
from junctor.observe.secrets import register

log = logging.getLogger("plant.alarm")


@contextmanager
def writing(directory: Path, size: int = 1_000_000, count: int = 5) -> Iterator[LogFile]:
    kept = LogFile(size=size, files=count)
    level = log.level
    log.setLevel(logging.INFO)
    undo = kept.join()
    try:
        yield kept
    finally:
        undo()
        log.setLevel(level)


def texts(directory: Path) -> list[str]:
    return [json.loads(line)["text"] for path in files(directory) for line in path.read_bytes().splitlines()]


def test_what_is_said_before_the_folder_is_known_is_written_too(tmp_path: Path) -> None:
    with writing(tmp_path) as kept:
        log.info("early %s", 1)
        kept.open(tmp_path)
        log.warning("late", extra={"service": "plant/alarm"})
    first, second = map(json.loads, (tmp_path / FILE).read_text().splitlines())
    assert (first["text"], first["level"], first["logger"]) == ("early 1", "info", "plant.alarm")
    assert (second["text"], second["service"]) == ("late", "plant/alarm")
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


def test_it_is_bounded_and_the_latest_stays(tmp_path: Path) -> None:
    with writing(tmp_path, size=20_000, count=3) as kept:
        kept.open(tmp_path)
        for burst in range(20):
            for number in range(50):
                log.info("line %s", burst * 50 + number)
            wait_for(tmp_path, f"line {burst * 50 + 49}")
    found = [text for text in texts(tmp_path) if text.startswith("line")]
    assert found == [f"line {number}" for number in range(1000)][-len(found) :]
    assert [path.name for path in files(tmp_path)] == ["log.2.jsonl", "log.1.jsonl", FILE]
    assert sum(path.stat().st_size for path in files(tmp_path)) < 3 * 30_000


def test_secrets_are_masked_in_text_and_traceback(tmp_path: Path) -> None:
    register(["hunter2-in-the-file"])
    with writing(tmp_path) as kept:
        kept.open(tmp_path)
        try:
            raise ValueError("hunter2-in-the-file")
        except ValueError:
            log.exception("with %s", "hunter2-in-the-file")
    assert b"hunter2" not in (tmp_path / FILE).read_bytes()


def test_a_line_that_a_crash_cut_is_ended(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b'{"time":"2026-01')
    with writing(tmp_path) as kept:
        kept.open(tmp_path)
        log.info("after")
    _, line = (tmp_path / FILE).read_bytes().splitlines()
    assert json.loads(line)["text"] == "after"


def test_a_file_that_somebody_moved_is_begun_anew(tmp_path: Path) -> None:
    with writing(tmp_path) as kept:
        kept.open(tmp_path)
        log.error("one")
        wait_for(tmp_path, "one")
        (tmp_path / FILE).rename(tmp_path / "elsewhere")
        log.error("two")
    assert texts(tmp_path) == ["two"]


FULL = """
import logging, pathlib, resource, signal, sys
from junctor.observe.logfile import LogFile
folder = pathlib.Path(sys.argv[1])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
kept = LogFile()
undo = kept.join()
log = logging.getLogger("a")
log.setLevel(20)
kept.open(folder)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
for number in range(500):
    log.info("line %s", number)
log.error("pushed out")
import time
while kept._waiting: time.sleep(0.01)
time.sleep(0.1)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
log.info("again")
undo()
"""


def test_a_disk_that_takes_no_more_costs_lines_and_nothing_else(tmp_path: Path) -> None:
    """A bound on the size of files stands for the disk: the kernel refuses in the middle of a write."""
    subprocess.run([sys.executable, "-c", FULL, str(tmp_path)], check=True, timeout=30)
    lines = (tmp_path / FILE).read_bytes().splitlines()
    said = []
    for line in lines:
        try:
            said.append(json.loads(line)["text"])
        except ValueError:
            assert len(line) < 4096  # the one that was cut
    assert said[-2:] == ["again", "501 lines were left out here"] or "lines were left out here" in said[-1]
    assert "again" in said


def test_the_reader_goes_on_where_it_stopped_also_over_rotation(tmp_path: Path) -> None:
    reader = LogReader(tmp_path)
    assert list(reader.lines()) == []
    seen: list[str] = []
    with writing(tmp_path, size=2_000, count=5) as kept:
        kept.open(tmp_path)
        for number in range(200):
            log.error("line %s", number)
            if number % 10 == 9:
                wait_for(tmp_path, f"line {number}")
                seen += [json.loads(line)["text"] for line in reader.lines()]
    seen += [json.loads(line)["text"] for line in reader.lines()]
    assert seen == [f"line {number}" for number in range(200)]


def test_a_reader_beside_a_busy_writer_sees_every_line_once(tmp_path: Path) -> None:
    """The files are renamed under it all the time; the writer goes on as long as what is kept has what was not read."""
    count, seen = 2000, list[str]()
    reader = LogReader(tmp_path)

    def talk() -> None:
        for number in range(count):
            log.error("line %s", number)
            while number - len(seen) > 60:
                pause.wait(0.0005)

    pause = threading.Event()
    with writing(tmp_path, size=2_000, count=6) as kept:
        kept.open(tmp_path)
        thread = threading.Thread(target=talk)
        thread.start()
        until = time.monotonic() + 20
        while len(seen) < count and time.monotonic() < until:
            seen += [json.loads(line)["text"] for line in reader.lines()]
        seen += [""] * count  # the writer is not left waiting
        thread.join()
    assert seen[:count] == [f"line {number}" for number in range(count)]


def test_a_line_without_end_is_cut(tmp_path: Path) -> None:
    with writing(tmp_path) as kept:
        kept.open(tmp_path)
        log.info("x" * 10_000_000)
    assert (tmp_path / FILE).stat().st_size < 40_000
    assert texts(tmp_path)[0].endswith("... (cut)")


def test_half_a_line_is_not_read(tmp_path: Path) -> None:
    reader = LogReader(tmp_path)
    path = tmp_path / FILE
    path.write_bytes(b"one\ntw")
    assert list(reader.lines()) == [b"one"]
    with path.open("ab") as file:
        file.write(b"o\n")
    assert list(reader.lines()) == [b"two"]


def test_many_threads_at_once_lose_nothing(tmp_path: Path) -> None:
    with writing(tmp_path, size=100_000_000) as kept:
        kept.open(tmp_path)

        def talk(who: int) -> None:
            for number in range(2000):
                log.info("%s %s", who, number)

        threads = [threading.Thread(target=talk, args=(who,)) for who in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    found = texts(tmp_path)
    assert len(found) == 10_000
    assert [text for text in found if text.startswith("3 ")] == [f"3 {number}" for number in range(2000)]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_borne(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with writing(tmp_path) as kept:
        kept.open(tmp_path)
        log.error("one")
    tmp_path.chmod(0o700)
    assert files(tmp_path) == []


def wait_for(directory: Path, text: str) -> None:
    """Until the thread has written the line; its files may be renamed meanwhile."""
    event = threading.Event()
    for _ in range(1000):
        if text in [json.loads(line)["text"] for line in LogReader(directory).lines()][-1:]:
            return
        event.wait(0.01)
    raise AssertionError(f"{text} was not written")
