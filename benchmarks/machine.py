"""What the figures were taken on: enough to read them later, nothing that names the machine or its folders."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from benchmarks.load import loop_name

PARTS = ("apsw", "uvloop", "msgspec", "uvicorn", "httptools", "starlette", "fastapi")
IN_MEMORY = {"tmpfs", "ramfs"}


def describe(scratch: Path) -> dict[str, Any]:
    return {
        "cpus": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.release().split('-')[0]} {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "sqlite": _sqlite(),
        "loop": loop_name(),
        "parts": {name: _version(name) for name in PARTS},
        "filesystem": filesystem(scratch),
        "fsync_ms": round(fsync_ms(scratch), 3),
    }


def _sqlite() -> str:
    import apsw

    return str(apsw.sqlite_lib_version())


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"


def filesystem(folder: Path) -> str:
    """The type of the file system below ``folder``: a durable figure from memory would be worth nothing."""
    best = ("", "unknown")
    for line in Path("/proc/mounts").read_text().splitlines():
        _, mount, kind, *_ = line.split()
        if folder.resolve().is_relative_to(mount) and len(mount) >= len(best[0]):
            best = (mount, kind)
    return best[1]


def fsync_ms(folder: Path, times: int = 50) -> float:
    """Median of an appended page and its fsync, the floor under every durable commit."""
    path = folder / "fsync.probe"
    taken = []
    with path.open("wb", buffering=0) as file:
        for _ in range(times):
            file.write(bytes(4096))
            begin = perf_counter()
            os.fsync(file.fileno())
            taken.append(perf_counter() - begin)
    path.unlink()
    return median(taken) * 1000
