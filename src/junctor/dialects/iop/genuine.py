"""What programs of this dialect were written for, and must not be installed beside it."""

from __future__ import annotations

from junctor.dialects.beside import refuse_beside

_GENUINE = ("iris-pex-embedded-python",)


def refuse_genuine(alias: str = "junctor-iop") -> None:
    """Go on where the genuine package, which brings modules of the same names, is not installed.

    :param alias: the name of our distribution with the import path in question.
    :raises ConfigurationError: it is.
    """
    refuse_beside(_GENUINE, alias)
