"""The arguments of a process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import msgspec

from junctor.dialects.pip_services.commons.config import ConfigParams

HELP = """\
Pip.Services process container - http://www.pipservices.org
run [-h] [-c <config file>] [-p <param>=<value>]*"""

_HELP = ("-h", "--help")
_CONFIG = ("-c", "--config")
_PARAMETERS = ("-p", "--param", "--params")


class CommandLine(msgspec.Struct, frozen=True, kw_only=True):
    """``config`` is the file, empty where none is named; ``parameters`` are the variables of its template."""

    help: bool = False
    config: str = ""
    parameters: Mapping[str, str | None] = {}


def read_command_line(arguments: Sequence[str]) -> CommandLine:
    """Options and their values also as one word, ``--config=FILE``; what is unknown is left to the program."""
    config, parameters = "", ConfigParams()
    words = [part for word in arguments for part in _split(word)]
    for option, value in pairwise([*words, ""]):
        if option in _CONFIG:
            config = value
        elif option in _PARAMETERS:
            parameters.append(ConfigParams.from_string(value))
    return CommandLine(help=any(word in _HELP for word in words), config=config, parameters=parameters)


def _split(word: str) -> list[str]:
    option, sign, value = word.partition("=")
    return [option, value] if sign and option in (*_CONFIG, *_PARAMETERS) else [word]
