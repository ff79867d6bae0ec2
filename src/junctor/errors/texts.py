"""What can be said of any exception, and of a word that nobody knows."""

from __future__ import annotations

from collections.abc import Iterable

LONGEST_TEXT = 2000
"""Characters of the text of an exception that is not ours."""

HIDES = "__junctor_hides__"
"""The attribute of an exception that may quote sensitive values: an object whose ``mask`` takes them out of a text."""


def nearest(word: str, known: Iterable[str]) -> str:
    """``Did you mean "limit"?`` for a wrong word, else the list of the right ones, else nothing; ends with a space."""
    import difflib  # only when something is wrong

    words = sorted(known)
    close = difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    if close:
        return f'Did you mean "{close[0]}"? '
    shown = ", ".join(words[:12]) + (", ..." if len(words) > 12 else "")
    return f"There is: {shown}. " if words else ""


def text_of(error: BaseException) -> str:
    """The text of any exception, fit to be sent and stored; empty where it has none. The class may be a user's: its
    ``__str__`` may raise, SystemExit too."""
    try:
        hides = getattr(error, HIDES, None)
        text = str(error) if hides is None else hides.mask(str(error))  # before the cut, which could leave half of it
        return storable(text[:LONGEST_TEXT])
    except BaseException:  # noqa: BLE001 - a broken __str__ must not hide the failure, or end the node
        return "(its text cannot be made)"


def named(error: BaseException) -> str:
    """``ValueError: no such key``: class and text of any exception."""
    text = text_of(error)
    return f"{type(error).__qualname__}: {text}" if text else type(error).__qualname__


def storable(text: str) -> str:
    """The text without what UTF-8 cannot carry: half a surrogate pair, from a file name for example."""
    return text.encode("utf-8", "backslashreplace").decode()
