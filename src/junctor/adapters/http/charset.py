"""Bodies as text, in the charset that whoever has sent them says."""

from __future__ import annotations

import codecs

_NO_CHARSETS = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"})
"""Codecs that Python has beside charsets: punycode takes minutes for a megabyte, others fail in ways of their own."""


def decoded(body: bytes, charset: str, errors: str = "strict") -> str:
    """The body as text.

    :param errors: as of :meth:`bytes.decode`.
    :raises LookupError: there is no such charset.
    :raises UnicodeDecodeError: the body is not in it.
    """
    try:
        codec = codecs.lookup(charset)
    except ValueError:  # a name that is no name: with a surrogate, with a zero
        raise LookupError(charset) from None
    if codec.name.replace("_", "-") in _NO_CHARSETS:
        raise LookupError(charset)
    return body.decode(codec.name, errors)
