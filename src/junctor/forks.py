"""What a forked child of a node must not keep: its lock and the sockets that it listens on.

``multiprocessing`` forks on many systems, and a child may outlive a node that was killed. With the lock in its hands no
node could start again.
"""

from __future__ import annotations

import contextlib
import os

__all__ = ("close_in_children", "forget")

_files: set[int] = set()


def close_in_children(file: int) -> None:
    """Let children that are forked from now on not have this file descriptor."""
    _files.add(file)


def forget(file: int) -> None:
    """The descriptor is about to be closed; its number may come to mean something else."""
    _files.discard(file)


def _in_child() -> None:
    while _files:
        with contextlib.suppress(OSError):
            os.close(_files.pop())


os.register_at_fork(after_in_child=_in_child)
