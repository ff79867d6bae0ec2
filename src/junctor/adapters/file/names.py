"""Names of files: from the disk into headers and state, and from messages onto the disk.

On Linux a name is any bytes but ``/`` and NUL: also line ends, control characters, and what is no UTF-8.
"""

from __future__ import annotations

import os
from urllib.parse import quote, unquote_to_bytes

from junctor.core.outcome import Park

LONGEST = 255
"""Bytes of a name on nearly every file system."""

_LONGEST_SUFFIX = 32
"""Bytes of what is kept behind the last point of a name that is cut."""


def shown(name: str) -> str:
    """A name for headers and people: on one line, and always text. Usual names stay as they are."""
    if name.isprintable():
        return name
    return "".join(char if char.isprintable() else _escaped(char) for char in name)


def _escaped(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # what is no UTF-8, as Python has it in a name
        return f"\\x{code - 0xDC00:02x}"
    return char.encode("unicode_escape").decode("ascii")


def kept(name: str) -> str:
    """A name as text that :func:`restored` makes the same name of."""
    return quote(os.fsencode(name), safe="/ ")


def restored(text: str) -> str:
    return os.fsdecode(unquote_to_bytes(text))


def part(text: str) -> str:
    """A value of a message as part of the name of a file.

    :raises Park: with it the name would lead elsewhere, or could not be told apart from another one.
    """
    if "/" in text or "\\" in text or not text.isprintable() or text in ("", ".", ".."):
        raise Park(f"{shown(text)!r} cannot be part of the name of a file")
    return text


def checked(name: str) -> str:
    """The name of a file below a folder, filled from a template.

    :raises Park: it is none: it leads out of the folder, ends with a slash, or is too long for a disk.
    """
    for step in name.split("/"):
        if step in ("", ".", "..") or "\0" in step:
            raise Park(f"{shown(name)!r} is no name of a file in the folder")
        if len(os.fsencode(step)) > LONGEST:
            raise Park(f"{shown(step)[:60]!r}... has more than the {LONGEST} bytes of a name")
    return name


def numbered(name: str, number: int, room: int = 0) -> str:
    """A name beside one that is taken: ``orders.csv`` becomes ``orders-1.csv``; the same for 0. One that would be too
    long for a disk is cut.

    :param room: bytes that something behind the name needs.
    """
    folder, slash, last = name.rpartition("/")
    stem, suffix = os.path.splitext(last)
    if len(os.fsencode(suffix)) > _LONGEST_SUFFIX:
        stem, suffix = last, ""
    behind = os.fsencode(f"-{number}{suffix}" if number else suffix)
    return f"{folder}{slash}{os.fsdecode(os.fsencode(stem)[: LONGEST - room - len(behind)] + behind)}"
