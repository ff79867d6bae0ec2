"""Where the configuration of a process is."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path

_SIBLINGS = {".yml": ".yaml", ".yaml": ".yml"}


def found_config(path: str, cls: type, *, elsewhere: bool = True) -> tuple[str, str]:
    """The file to read, and a remark where it is not the one that was named.

    It is looked for in the working folder, then beside the file of the class; under its own name, with the other ending
    of YAML, then as ``config/config.yml``. Where none of them is there, the path stays as it is.

    :param elsewhere: whether ``config/config.yml`` may stand for it: not where somebody has named the file.
    """
    for candidate in _candidates(path, cls, elsewhere):
        if candidate.is_file():
            same = candidate == Path(path)
            return (path, "") if same else (str(candidate), _note(path, candidate))
    return path, ""


def _candidates(path: str, cls: type, elsewhere: bool) -> Iterator[Path]:
    named = Path(path)
    names = [named]
    if named.suffix.lower() in _SIBLINGS:
        names.append(named.with_suffix(_SIBLINGS[named.suffix.lower()]))
    if elsewhere:
        names += [Path("config/config.yml"), Path("config/config.yaml")]
    beside = _folder(cls)
    for name in names:
        yield name
        if beside is not None and not name.is_absolute():
            yield beside / name


def _folder(cls: type) -> Path | None:
    try:
        return Path(inspect.getfile(cls)).resolve().parent
    except (OSError, TypeError):  # made in a session that has no file
        return None


def _note(path: str, found: Path) -> str:
    """Nothing where only the folder differs: who starts a program from elsewhere means its own files."""
    if found.name == Path(path).name:
        return ""
    return f"There is no config file at {path}; {found} is read. Name it in self._config_path, or with -c."
