"""A JSON file with a list of items."""

from __future__ import annotations

import contextlib
import errno
import glob
import json
import os
import stat
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

from junctor.dialects.pip_services.commons.config import ConfigParams, IConfigurable
from junctor.dialects.pip_services.commons.convert.json_converter import json_form
from junctor.dialects.pip_services.commons.errors import ConfigException, FileException
from junctor.dialects.pip_services.data.interfaces import ILoader, ISaver

T = TypeVar("T")

_PART = ".part"
"""The ending of a file that is being written."""
_ABANDONED = 60.0
"""Seconds after which nobody writes such a file any more: its process was killed."""


class JsonFilePersister(ILoader[T], ISaver[T], IConfigurable):
    """
    Configuration: ``path``, the file. A save replaces the file in one step: a reader, or a start after a crash, finds
    the old list or the new one, whole.

    :param path: the file, if configuration does not say it.
    """

    def __init__(self, path: str | None = None) -> None:
        self.path = path

    def configure(self, config: ConfigParams) -> None:
        """
        :raises ConfigException: nobody says where the file is.
        """
        self.path = config.get_as_string_with_default("path", self.path)
        self._file(None)

    def load(self, correlation_id: str | None) -> list[T]:
        """All items; none where there is no file yet, or an empty one.

        :raises FileException: it cannot be read, or is no JSON list.
        """
        path = self._file(correlation_id)
        try:
            _check(path)
            _sweep(Path(os.path.realpath(path)))
            found = json.loads(path.read_text(encoding="utf-8-sig").strip() or "[]")
        except FileNotFoundError:
            return []
        except (OSError, ValueError, RecursionError) as error:
            raise _failed(correlation_id, "READ_FAILED", f"Failed to read data file {path}", error) from error
        if not isinstance(found, list):
            wrong = TypeError(f"it has a {type(found).__name__}, not a list")
            raise _failed(correlation_id, "READ_FAILED", f"Failed to read data file {path}", wrong)
        return found

    def save(self, correlation_id: str | None, items: Iterable[T] | None) -> None:
        """Write all items. The folder of the file is made where it is missing.

        :raises FileException: an item has no form in JSON, or the place cannot be written.
        """
        path = self._file(correlation_id)
        try:
            data = _encoded(list(items or ()))
            _check(path)
            path.parent.mkdir(parents=True, exist_ok=True)
            _replace(path, data)
        except (OSError, TypeError, ValueError, RecursionError) as error:
            raise _failed(correlation_id, "WRITE_FAILED", f"Failed to write data file {path}", error) from error

    def _file(self, correlation_id: str | None) -> Path:
        if not self.path:
            raise ConfigException(correlation_id, "NO_PATH", "Data file path is not set")
        return Path(self.path)


def _failed(correlation_id: str | None, code: str, what: str, error: Exception) -> FileException:
    made = FileException(correlation_id, code, f"{what}: {error}")
    made.with_cause(error)
    return made


def _check(path: Path) -> None:
    """
    :raises OSError: there is something that is no file: to read a pipe would wait for ever.
    """
    if path.exists() and not path.is_file():
        raise OSError("it is no file")


def _encoded(items: list[Any]) -> bytes:
    """Texts as they are. Half a surrogate pair, which a file of others may have, UTF-8 cannot carry: then all that is
    not ASCII is written as an escape."""
    text = json.dumps(items, default=json_form, ensure_ascii=False)
    try:
        return text.encode()
    except UnicodeEncodeError:
        return json.dumps(items, default=json_form).encode()


def _replace(path: Path, data: bytes) -> None:
    """The link stays where the path is one; so do the permissions of the file."""
    target = Path(os.path.realpath(path))
    mode = _mode(target)
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", suffix=_PART, delete=False) as file:
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            os.chmod(file.name, mode)
            os.replace(file.name, target)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(file.name)
            raise
    _sync(target.parent)


def _sweep(target: Path) -> None:
    """Take away what killed processes left half written."""
    for name in glob.glob(f".{glob.escape(target.name)}.*{_PART}", root_dir=target.parent):
        left = target.with_name(name)
        with contextlib.suppress(OSError):  # gone meanwhile, or somebody else's
            if time.time() - left.stat().st_mtime > _ABANDONED:
                left.unlink()


def _sync(folder: Path) -> None:
    """The name of the file is on the disk, too. Some systems cannot do that for a folder, or need more rights for it
    than to write there; the file has been replaced by then."""
    try:
        place = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(place)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(place)


def _mode(path: Path) -> int:
    """That of the file as it is; of a new one, what its user and group may read."""
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return 0o640
