"""What a process and its children occupy, from /proc. 1 MB is 2**20 bytes here."""

from __future__ import annotations

from pathlib import Path

FIELDS = {"Rss:": "rss_mb", "Pss:": "pss_mb"}


def _children(pid: int) -> list[int]:
    return [int(child) for tasks in Path(f"/proc/{pid}/task").glob("*/children") for child in tasks.read_text().split()]


def _own(pid: int) -> dict[str, float]:
    found = dict.fromkeys(FIELDS.values(), 0.0)
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, kilobytes, *_ = line.split()
        if name in FIELDS:
            found[FIELDS[name]] = int(kilobytes) / 1024
    return found


def of_tree(pid: int) -> dict[str, float]:
    """Sums over the tree. RSS is the figure to judge by; PSS shares pages with whatever else runs Python just now."""
    total = _own(pid)
    for child in _children(pid):
        for name, value in of_tree(child).items():
            total[name] += value
    return total
