"""Where else to look when a file of the user does not load: the doctor of the system that it was written for.

Doctors are found by entry point and loaded only then, as dialects are.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Protocol

GROUP = "junctor.doctors"
"""The group of entry points; what one names is at least an :class:`Adviser`."""


class Adviser(Protocol):
    """What of a doctor is needed here. One may also have ``correction(text, line) -> str``: what a line of a text that
    is no Python should be, empty where it does not know; and ``remarks(texts)``: what is wrong in files that can be
    imported, by their paths, each remark with ``file``, ``line``, ``code``, ``what`` and ``fix``."""

    title: str
    """The system, as people call it."""
    imports: str
    """How the names of its modules begin, as a regular expression."""

    def requirement(self, module: str) -> str:
        """What stands behind ``pip install`` for one of them."""
        ...


def advice(error: BaseException, folder: Path) -> str:
    """A sentence that names ``junctor doctor``, where a file on the way to the error imports a system that has one;
    else nothing."""
    texts = [_text(file) for file in _files(error, folder)]
    for doctor in _doctors():
        if any(_mark(doctor).search(text) for text in texts):
            place = "" if folder == Path.cwd() else f" {_relative(folder)}"
            return f" For {doctor.title}, `junctor doctor{place}` finds such errors in the files without running them."
    return ""


def correction(error: SyntaxError) -> str:
    """What to do about a line that is no Python: what the line should be, where a doctor knows that."""
    text = _text(error.filename or "")
    for doctor in _doctors():
        if hasattr(doctor, "correction") and _mark(doctor).search(text):
            meant = doctor.correction(text, error.lineno or 0)
            if meant:
                return f"Write `{meant}`."
    return "Correct the line."


def remarks(texts: Mapping[str, str]) -> Iterator[Any]:
    """What the doctors find in files of the systems that they know.

    :param texts: by path.
    """
    for doctor in _doctors():
        known = {file: text for file, text in texts.items() if _mark(doctor).search(text)}
        if known and hasattr(doctor, "remarks"):
            yield from doctor.remarks(known)


def requirement_of(module: str) -> str:
    """What stands behind ``pip install`` for a module of another system; for all others the module's own name."""
    name = module.partition(".")[0]
    return next((doctor.requirement(name) for doctor in _doctors() if re.match(doctor.imports, name)), name)


def _mark(doctor: Adviser) -> re.Pattern[str]:
    return re.compile(rf"^\s*(?:from|import)\s+{doctor.imports}", re.MULTILINE)


def _doctors() -> Iterator[Adviser]:
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        try:
            doctor = point.load()
        except Exception:  # noqa: BLE001 - a plugin that is broken must not hide the error of the user's file
            continue
        if hasattr(doctor, "imports"):
            yield doctor


def _files(error: BaseException, folder: Path) -> Iterator[str]:
    """The files in the folder that were being run."""
    if isinstance(error, SyntaxError) and error.filename:
        yield error.filename
    traceback = error.__traceback__
    while traceback is not None:
        file = traceback.tb_frame.f_code.co_filename
        if file.startswith(f"{folder}{os.sep}") and "site-packages" not in file:
            yield file
        traceback = traceback.tb_next


def _text(file: str) -> str:
    try:
        return Path(file).read_text("utf-8", "replace")
    except (OSError, ValueError):
        return ""


def _relative(folder: Path) -> str:
    return str(folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder)
