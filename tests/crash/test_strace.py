"""The same faults from the kernel itself, where strace is there: errors and signals at the n-th system call."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.crash.campaigns import Campaign, every
from tests.crash.evidence import seen_in
from tests.crash.history import Faults, check, read_history
from tests.crash.seeds import repeat, seed_of_this_run

STRACE = shutil.which("strace")
ROOT = Path(__file__).resolve().parents[2]


def may_trace() -> bool:
    if STRACE is None:
        return False
    return subprocess.run([STRACE, "-o", "/dev/null", "true"], capture_output=True, check=False).returncode == 0


pytestmark = [pytest.mark.crash, pytest.mark.skipif(not may_trace(), reason="strace is not there or may not trace")]


def load(folder: Path, seed: int, inject: str = "") -> subprocess.CompletedProcess[str]:
    call = inject.partition(":")[0]
    options = ["-f", "-qq", "-y", "-o", folder / "strace", "-e", f"trace={call}", "-e", f"inject={inject}"]
    tracer = [STRACE, *options] if inject else []
    driver = [sys.executable, "-m", "tests.crash.drivers.load", folder / "store", folder / "history", seed, 8]
    command = [str(part) for part in (*tracer, *driver)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


def met(trace: Path) -> bool:
    """Whether the fault met a file of the database. A slow machine makes fewer groups, and so perhaps too few calls;
    and SQLite goes on when only the sync of the folder fails, at the making of the database."""
    return any("INJECTED" in line and "junctor.db" in line for line in trace.read_text().splitlines())


@pytest.mark.parametrize(
    "fault",
    ["fdatasync:error=EIO", "pwrite64:error=EIO", "pwrite64:error=ENOSPC", "fdatasync:signal=SIGKILL"],
)
def test_a_fault_in_the_kernel_loses_nothing(tmp_path: Path, fault: str) -> None:
    seed = seed_of_this_run()
    at = random.Random(seed).randrange(*((3, 9) if "sync" in fault else (12, 40)))
    (tmp_path / "history").mkdir()
    ended = load(tmp_path, seed, f"{fault}:when={at}")
    if "signal" not in fault and not met(tmp_path / "strace"):
        assert ended.returncode == 0
    elif "error=EIO" in fault:
        assert ended.returncode != 0, f"an I/O error was survived; {repeat(seed)}"
        assert "StoreError" in ended.stderr
    elif "SIGKILL" in fault:
        assert ended.returncode == -9
    faults = check(read_history(tmp_path / "history"), seen_in(tmp_path / "store"))
    assert not faults, f"{faults}; {repeat(seed)}"
    again = load(tmp_path, seed)
    assert again.returncode == 0, f"{again.stderr[-2000:]}; {repeat(seed)}"
    faults = check(read_history(tmp_path / "history"), seen_in(tmp_path / "store"), drained=True)
    assert not faults, f"{faults}; {repeat(seed)}"


# Every call --------------------------------------------------------------------------------------------------

FILES = ("junctor.db", "junctor.db-wal", "junctor.db-shm", "junctor.db-mark", "node.json", "lock", "reserve", "")
"""What a store touches, its folder included; the rest of the process is left alone."""

CALLS = {
    "openat": ["EIO", "ENOSPC"],
    "fsync,fdatasync": ["EIO"],
    "write,pwrite64": ["EIO", "ENOSPC"],
    "ftruncate,fallocate": ["EIO", "ENOSPC"],
    "mkdir,rename,unlink": ["EIO", "ENOSPC"],
    "mmap": ["ENOMEM"],
}


@pytest.mark.torture
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("calls, error", [(calls, error) for calls, errors in CALLS.items() for error in errors])
def test_a_fault_at_every_call_of_the_kernel(tmp_path: Path, calls: str, error: str) -> None:
    """Beneath SQLite and beside it: the index of the log, the identity, the mark."""
    seed, number, met, found = seed_of_this_run(), 1, 0, []
    made = Campaign(seed)
    while said := fault_at(tmp_path / str(number), seed, calls, error, number):
        met += 1
        found += [f"call {number}: {text}" for text in said if text != "met"]
        number += every(60)
    made.ended(met, None, Faults(untimely=found))
    assert not found, "\n".join([*found, repeat(seed)])


def fault_at(folder: Path, seed: int, calls: str, error: str, number: int) -> list[str]:
    """``met`` and what was wrong; empty where there was no such call any more."""
    (folder / "history").mkdir(parents=True)
    paths = [word for name in FILES for word in ("-P", str(folder / "store" / name))]
    inject = f"inject={calls}:error={error}:when={number}"
    tracer = [
        str(STRACE),
        "-f",
        "-qq",
        "-y",
        "-o",
        str(folder / "strace"),
        *paths,
        "-e",
        f"trace={calls}",
        "-e",
        inject,
    ]
    driver = [sys.executable, "-m", "tests.crash.drivers.load", str(folder / "store"), str(folder / "history")]
    words = [*tracer, *driver, str(seed), "4"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    if "INJECTED" not in (folder / "strace").read_text():
        return []
    found = ["met"]
    said = [line for line in done.stderr.splitlines() if line and not line.startswith(" ")]
    if done.returncode and not said[-1].startswith("junctor.errors."):
        found.append(said[-1])
    again = load(folder, seed)
    if again.returncode:
        found.append(f"the next run: {again.stderr[-500:]}")
    faults = check(read_history(folder / "history"), seen_in(folder / "store"))
    return [*found, str(faults)] if faults else found
