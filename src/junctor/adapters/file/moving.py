"""Moving files without losing one: never onto another file, and whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile

from junctor.adapters.file.names import numbered

_MOST_NUMBERS = 100_000

_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS, errno.EACCES)
"""How a file system says that it has no hard links, or none for us."""


def sync_folder(folder: str) -> None:
    """Let the names in a folder survive a power cut."""
    descriptor = os.open(folder or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # file systems of networks that cannot
            raise
    finally:
        os.close(descriptor)


def move(source: str, folder: str, name: str) -> str:
    """Move a file into a folder, which is made where there is none; under a number beside a name that is taken. Doing
    it again after a kill has one outcome: the file, once.

    :param name: below the folder.
    :return: the name that it has there.
    :raises FileNotFoundError: there is no such file, or no more.
    """
    status = os.lstat(source)
    for number in range(_MOST_NUMBERS):
        under = numbered(name, number)
        target = os.path.join(folder, under)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if _moved(source, target, status):
            sync_folder(os.path.dirname(target))
            sync_folder(os.path.dirname(source))
            return under
    raise FileExistsError(errno.EEXIST, "so many files of this name are there already", os.path.join(folder, name))


def _moved(source: str, target: str, status: os.stat_result) -> bool:
    """Whether the file is at the target now; False where another one is."""
    try:
        os.link(source, target, follow_symlinks=False)
    except FileExistsError:
        if not _same(target, status):
            return False
    except OSError as error:
        if error.errno == errno.EXDEV:
            return _copied(source, target)
        if error.errno not in _NO_LINKS:
            raise
        if os.path.lexists(target):
            return False
        os.rename(source, target)
        return True
    os.unlink(source)
    return True


def _same(target: str, status: os.stat_result) -> bool:
    """Whether an earlier attempt has brought it there, and was ended before it took it away here."""
    found = os.lstat(target)
    return (found.st_dev, found.st_ino) == (status.st_dev, status.st_ino)


def _copied(source: str, target: str) -> bool:
    """Move to another file system: a whole copy appears under the name, then the file goes."""
    folder = os.path.dirname(target)
    if os.path.lexists(target):
        return False
    descriptor, part = tempfile.mkstemp(prefix=".", suffix=".part", dir=folder)
    os.close(descriptor)
    try:
        shutil.copy2(source, part, follow_symlinks=False)
        with open(part, "rb") as copy:
            os.fsync(copy.fileno())
        os.rename(part, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(part)
        raise
    sync_folder(folder)
    os.unlink(source)
    return True


def write_note(path: str, text: str) -> None:
    """A small text beside a file that was put aside."""
    with open(path, "w", encoding="utf-8", errors="backslashreplace") as note:
        note.write(text)
        note.flush()
        os.fsync(note.fileno())
