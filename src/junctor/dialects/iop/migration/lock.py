"""One change of a registry at a time, by whichever process: a lock that the kernel releases when its holder is gone."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from junctor import forks
from junctor.errors import ConfigurationError

_PATIENCE = 10.0
"""Seconds. A change holds the lock for milliseconds: user code is imported before."""

_PAUSE = 0.02


@contextmanager
def locked(path: Path, patience: float = _PATIENCE) -> Iterator[None]:
    """Hold the lock of a file in the block; waits while another has it. The file stays afterwards.

    :param patience: seconds.
    :raises ConfigurationError: another has it for longer, or the file cannot be made.
    """
    file = _opened(path)
    try:
        _wait(file, path, time.monotonic() + patience)
        yield
    finally:
        forks.forget(file)
        os.close(file)


def _opened(path: Path) -> int:
    try:
        make_private(path.parent)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        fix = "Let $IOP_HOME name a folder that may be written."
        raise ConfigurationError(f"the lock file cannot be made: {error.strerror}", where=str(path), fix=fix) from error
    forks.close_in_children(file)
    return file


def make_private(folder: Path) -> None:
    """Make the folder of registries and the home that it lies in, for their owner only: what is registered there is
    imported.

    :raises OSError: the folder or disk refuses.
    """
    for one in (folder.parent, folder):
        one.mkdir(mode=0o700, parents=True, exist_ok=True)


def _wait(file: int, path: Path, until: float) -> None:
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= until:
                fix = "Wait until it ends, or end it, and try again."
                raise ConfigurationError("another process is changing the registry", where=str(path), fix=fix) from None
            time.sleep(_PAUSE)
