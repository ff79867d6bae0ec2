"""What a dialect stands for must not be installed beside it: both bring modules of the same names, and whichever was
installed last would be imported."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution

from junctor.errors import ConfigurationError


def refuse_beside(genuine: Iterable[str], alias: str) -> None:
    """Go on where none of these distributions is installed.

    :param genuine: the names of distributions whose programs the dialect runs.
    :param alias: the name of ours that brings their import paths.
    :raises ConfigurationError: one is; the fix is the line that removes it.
    """
    for name in genuine:
        try:
            distribution(name)
        except PackageNotFoundError:
            continue
        raise ConfigurationError(
            f"the package {name} is installed beside {alias}: both bring the same modules",
            where=name,
            fix=f"Run: pip uninstall {name} && pip install --force-reinstall --no-deps {alias}",
        )
