"""The productions that this process has started beside itself. Until their end is taken note of, the system keeps their
numbers, and they would seem to run."""

from __future__ import annotations

import subprocess


class Beside(subprocess.Popen[bytes]):
    """A process that may outlive this one."""

    def __del__(self) -> None:
        """Python warns of a process that still runs when its parent ends. This one is meant to."""


_beside: list[Beside] = []


def keep(process: Beside) -> None:
    """Remember a process that was started."""
    _beside.append(process)


def take_note() -> None:
    """Let go of what this process started and has ended since."""
    _beside[:] = [process for process in _beside if process.poll() is None]
