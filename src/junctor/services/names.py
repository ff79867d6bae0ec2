"""Names of services in a flow: part of addresses, URLs and commands."""

from __future__ import annotations

import re

from junctor.errors import ConfigurationError

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,99}")
_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def name_of_class(cls: type) -> str:
    """``machine-monitor`` for ``MachineMonitor``."""
    return _WORDS.sub("-", cls.__name__.strip("_")).lower() or "service"


def name_of_module(name: str) -> str:
    """The last part of a module's name or a file's stem, made fit for a service or flow."""
    last = re.sub(r"[^a-z0-9_-]+", "-", name.rpartition(".")[2].lower()).strip("-_")
    return last if _NAME.fullmatch(last) else f"flow-{last}".rstrip("-")


def checked_name(name: object, where: str | None = None) -> str:
    """The name itself.

    :raises ConfigurationError: it cannot be the name of a service or flow.
    """
    if isinstance(name, str) and _NAME.fullmatch(name):
        return name
    example = name_of_module(str(name).replace(".", "-"))
    raise ConfigurationError(
        f"{name!r} cannot be a name",
        where=where,
        fix=f'Use small letters, digits, - and _, beginning with a letter, for example "{example}".',
    )
