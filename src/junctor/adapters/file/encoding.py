"""What settings say of text: its encoding, and the signs that CSV is made of."""

from __future__ import annotations

import codecs

from junctor.errors import SettingError

_WITH_MARK = ("utf-16", "utf-32")


def encoding_of(text: str, marked: bool = False) -> str:
    """The encoding of this name, as Python calls it.

    :param marked: whether it may begin each text that it writes with a byte order mark.
    :raises SettingError: there is none, or it is none of text.
    """
    try:
        name = codecs.lookup(text).name
        "\n".encode(name)
    except (LookupError, TypeError, ValueError):
        fix = "For example utf-8, latin-1, cp1252 or utf-16-le."
        raise SettingError(f'there is no encoding "{text}" of text', where="encoding", fix=fix) from None
    if name in _WITH_MARK and not marked:
        what = f"{name} says nothing about the order of its bytes"
        raise SettingError(what, where="encoding", fix=f"Write {name}-le, or {name}-be.")
    return name


def check_signs(delimiter: str, quote: str, encoding: str) -> None:
    """Refuse signs of CSV that cannot be told from others.

    :raises SettingError: one is a line end, or both are one, or the encoding does not have them.
    """
    for where, sign in (("delimiter", delimiter), ("quote", quote)):
        if sign in ("\r", "\n", "\0"):
            raise SettingError(f"{sign!r} cannot be it", where=where, fix="For example a semicolon, or a tab.")
        check_written(sign, where, encoding)
    if delimiter == quote:
        raise SettingError("it is that of the quotes, too", where="delimiter", fix="Give each its own sign.")


def check_written(text: str, where: str, encoding: str) -> None:
    """:raises SettingError: an encoding does not have these signs."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        raise SettingError(f"{text!r} is not in {encoding}", where=where, fix="Change it, or encoding.") from None
