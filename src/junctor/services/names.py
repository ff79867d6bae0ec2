"""Names of services in a flow: part of addresses, URLs and commands."""

from __future__ import annotations

import functools
import re
import types
from pathlib import PurePath

from junctor.errors import ConfigurationError

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,99}")
_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def name_of_class(cls: type) -> str:
    """``machine-monitor`` for ``MachineMonitor``."""
    return _hyphened(cls.__name__)


@functools.lru_cache(maxsize=512)
def _hyphened(name: str) -> str:
    return _WORDS.sub("-", name.strip("_")).lower() or "service"


def name_of_module(module: types.ModuleType) -> str:
    """The stem of the module's file, made fit for a service or flow; for a package its own name."""
    stem = PurePath(getattr(module, "__file__", None) or "").stem
    return fit_name(module.__name__.rpartition(".")[2] if stem in ("", "__init__") else stem)


def fit_name(text: str) -> str:
    """The text as near as it can be as a name."""
    made = re.sub(r"[^a-z0-9_-]+", "-", text.lower()).strip("-_")
    return made if _NAME.fullmatch(made) else f"flow-{made}".rstrip("-")


def checked_name(name: object, where: str | None = None) -> str:
    """The name itself.

    :raises ConfigurationError: it cannot be the name of a service or flow.
    """
    if isinstance(name, str) and _NAME.fullmatch(name):
        return name
    example = fit_name(str(name))
    raise ConfigurationError(
        f"{name!r} cannot be a name",
        where=where,
        fix=f'Use small letters, digits, - and _, beginning with a letter, for example "{example}".',
    )
