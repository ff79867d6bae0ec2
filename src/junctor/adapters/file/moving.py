"""Moving files without losing one: never onto another file, and whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import filecmp
import os
import shutil
import stat
import tempfile

from junctor.adapters.file.names import numbered

_MOST_NUMBERS = 100_000

_LONGEST_PATH = 4000
"""Bytes of a path: 4096 on Linux, less what is put behind it."""

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


def place(folder: str, name: str) -> str:
    """Make the folder for a name below a folder.

    :return: the name; its last part where it cannot be there, as a file has the name of one of its folders, or as the
        way to it would be too long.
    """
    last = name.rpartition("/")[2]
    if len(os.fsencode(os.path.join(folder, name))) > _LONGEST_PATH:
        name = last
    try:
        os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        if name == last:
            raise
        return place(folder, last)
    return name


def move(source: str, folder: str, name: str, room: int = 0) -> str:
    """Move a file into a folder, which is made where there is none; under a number beside a name that is taken. Doing
    it again after a kill has one outcome: the file, once.

    :param name: below the folder.
    :param room: bytes that something behind the name needs.
    :return: the name that it has there.
    :raises FileNotFoundError: there is no such file, or no more.
    """
    status = os.lstat(source)
    name = place(folder, name)
    for number in range(_MOST_NUMBERS):
        under = numbered(name, number, room)
        target = os.path.join(folder, under)
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
        if not _same(source, target, status):
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


def _same(source: str, target: str, status: os.stat_result) -> bool:
    """Whether an earlier attempt has brought it there, and was ended before it took it away here. On another file
    system it is a copy."""
    found = os.lstat(target)
    if found.st_dev == status.st_dev:
        return found.st_ino == status.st_ino
    alike = (found.st_mode, found.st_size, found.st_mtime_ns) == (status.st_mode, status.st_size, status.st_mtime_ns)
    return alike and stat.S_ISREG(found.st_mode) and filecmp.cmp(source, target, shallow=False)


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
