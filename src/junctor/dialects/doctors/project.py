"""The files of a project that a doctor reads, as texts; a correction makes a new project, and one step writes it."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from pathlib import Path

from junctor.errors import JunctorError

_PATTERNS = ("*.py", "*.yml", "*.yaml", "*.md", "*.rst", "requirements*.txt")
_OTHERS = ("venv", "env", "node_modules", "__pycache__", "site-packages", "build", "dist", "*.egg-info", ".*")
"""Folders that hold nothing the project's people wrote."""

_LARGEST = 1_000_000
_MOST = 5_000
_DEEPEST = 50
"""Folders inside each other. Nobody writes more, and to go down all of a trap ends in an error."""
_BOM = "\ufeff"


class NotCorrected(JunctorError):
    """A corrected file could not be written. The files before it are written; each has its original beside it."""

    code = "not-corrected"


class Project:
    """
    :param folder: where it is.
    :param files: texts by path relative to the folder, with ``/``. Lines end with ``\\n`` here; those of ``crlf`` have
        ``\\r\\n`` in their files, those of ``marked`` a byte order mark before them.
    """

    def __init__(
        self,
        folder: Path,
        files: Mapping[str, str],
        crlf: frozenset[str] = frozenset(),
        marked: frozenset[str] = frozenset(),
    ) -> None:
        self.folder = folder
        self.files = dict(files)
        self.crlf = crlf
        self.marked = marked

    @classmethod
    def read(cls, folder: Path) -> Project:
        """The Python and YAML files, requirements and documentation; not what is hidden, built, installed, above 1 MB
        or no text."""
        files: dict[str, str] = {}
        crlf: set[str] = set()
        marked: set[str] = set()
        for path in _paths(folder):
            name = path.relative_to(folder).as_posix()
            text = _text(path) if name.isprintable() else None
            if text is not None:
                files[name] = text.removeprefix(_BOM).replace("\r\n", "\n")
                crlf |= {name} if "\r\n" in text else set()
                marked |= {name} if text.startswith(_BOM) else set()
        return cls(folder, files, frozenset(crlf), frozenset(marked))

    def lines(self, file: str) -> list[str]:
        return self.files[file].split("\n")

    def named(self, *patterns: str) -> dict[str, str]:
        """The files whose names fit one of the patterns, with their texts."""
        return {
            file: text
            for file, text in self.files.items()
            if any(fnmatch(file.rpartition("/")[2], pattern) for pattern in patterns)
        }

    def has(self, path: str) -> bool:
        """Whether there is a file, read or not, at a path relative to the folder."""
        return path in self.files or (self.folder / path).is_file()

    def with_files(self, changed: Mapping[str, str]) -> Project:
        return Project(self.folder, {**self.files, **changed}, self.crlf, self.marked)

    def changed_from(self, before: Project) -> list[str]:
        """The files that differ."""
        return [file for file, text in self.files.items() if before.files.get(file) != text]

    def write(self, before: Project) -> Iterator[tuple[str, str]]:
        """Write what differs, each file in one step, with the original beside it.

        Yields the path of each with that of its original.

        :raises NotCorrected: a place cannot be written.
        """
        for file in self.changed_from(before):
            path = self.folder / file
            try:
                yield file, _replace(path, self._as_written(file)).relative_to(self.folder).as_posix()
            except OSError as error:
                what = f"it cannot be written: {error.strerror or error}"
                fix = "Give a folder that this user can write, or correct the lines by hand."
                raise NotCorrected(what, where=str(path), fix=fix) from error

    def _as_written(self, file: str) -> str:
        text = self.files[file].replace("\n", "\r\n") if file in self.crlf else self.files[file]
        return _BOM + text if file in self.marked else text


def _paths(folder: Path) -> list[Path]:
    """In the order of their names. Links are left to what they point to, and pipes and devices are no files."""
    found: list[Path] = []
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not any(fnmatch(name, other) for other in _OTHERS))
        if root != str(folder) and "pyvenv.cfg" in names:
            folders.clear()
            continue
        if len(Path(root).relative_to(folder).parts) >= _DEEPEST:
            folders.clear()
        wanted = (Path(root, name) for name in sorted(names) if any(fnmatch(name, each) for each in _PATTERNS))
        found += (path for path in wanted if _is_file(path))
        if len(found) > _MOST:
            break
    return found[:_MOST]


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def _text(path: Path) -> str | None:
    """None: it is too large, or no text. Python counts a lone carriage return as the end of a line; editors do not."""
    try:
        text = path.read_bytes().decode() if path.stat().st_size <= _LARGEST else "\r"
    except (OSError, UnicodeDecodeError):
        return None
    return None if "\r" in text.replace("\r\n", "") else text


def _replace(path: Path, text: str) -> Path:
    """Answers where the original went: ``NAME.orig``, or with a number where there is one already."""
    original = _free(path)
    shutil.copy2(path, original)
    with tempfile.NamedTemporaryFile("wb", dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        try:
            file.write(text.encode())
            file.flush()
            shutil.copymode(path, file.name)
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise
    return original


def _free(path: Path) -> Path:
    number, found = 1, path.with_name(f"{path.name}.orig")
    while found.exists():
        number += 1
        found = path.with_name(f"{path.name}.orig{number}")
    return found
