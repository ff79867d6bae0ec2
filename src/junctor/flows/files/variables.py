"""Where the values of references come from: the environment, files with ``NAME=value`` lines, places for secrets."""

from __future__ import annotations

import os
import re
import shlex
import stat
from collections.abc import Mapping
from pathlib import Path

from junctor.errors import ConfigurationError
from junctor.observe.secrets import register
from junctor.settings import Secret

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LARGEST = 1 << 20
_LARGEST_SECRET = 64 << 10
RUN_SECRETS = Path("/run/secrets")


class Variable(str):
    """A value that knows the line of a file it came from, ``site.env:3``."""

    origin: str


def _variable(value: str, origin: str) -> Variable:
    made = Variable(value)
    made.origin = origin
    return made


def read_variables(path: Path, label: str) -> dict[str, str]:
    """The variables of a file, each a :class:`Variable`: ``NAME=value`` lines, ``#`` for remarks, values in quotes
    where blanks are to stay.

    :raises ConfigurationError: there is no such file, or a line is none of these.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(_text(path, label).splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        name, sign, value = line.removeprefix("export ").partition("=")
        if not sign or _NAME.fullmatch(name.strip()) is None:
            # Not shown: it may be half of a secret.
            raise ConfigurationError(
                "the line is no variable", where=f"{label}:{number}", fix="Write NAME=value, or # in front of a remark."
            )
        origin = f"{label}:{number}"
        found[name.strip()] = _variable(_unquoted(value.strip(), origin), origin)
    return found


def read_env_files(env_files: tuple[str, ...]) -> dict[str, str]:
    """The variables of ``--env-file``, later files over earlier ones, and the environment over them all."""
    found: dict[str, str] = {}
    for file in env_files:
        found.update(read_variables(Path(file), label_of(file)))
    return {**found, **os.environ}


def label_of(path: Path | str) -> str:
    """How errors call a file: as seen from the working folder where it is below."""
    return os.path.abspath(path).removeprefix(f"{os.getcwd()}{os.sep}")


def _text(path: Path, label: str, largest: int = _LARGEST) -> str:
    from junctor.flows.files.document import read_text  # with what reads YAML

    return read_text(path, label, largest)


def _unquoted(value: str, where: str) -> str:
    if value[:1] not in ("'", '"'):
        return value.partition(" #")[0].rstrip()
    end = value.find(value[0], 1)
    if end < 0 or value[end + 1 :].strip()[:1] not in ("", "#"):
        raise ConfigurationError("the quotes are not closed", where=where, fix=f"End the value with {value[0]}.")
    return value[1:end]


class Secrets:
    """Secrets by name: from $CREDENTIALS_DIRECTORY, /run/secrets, the environment, a file of variables; the first wins.

    :param environment: the environment of the process, without files under it.
    :param file: a file of ``NAME=value`` lines that only its owner may read; None for none.
    """

    def __init__(self, environment: Mapping[str, str], file: Path | None = None, label: str = "") -> None:
        self._environment = environment
        self._file = file
        self._label = label
        self._listed: dict[str, str] | None = None

    def find(self, name: str, place: str) -> Secret:
        """The secret of a name; from now on its value is masked in logs and errors.

        :param place: where it is asked for, for errors.
        :raises ConfigurationError: it is nowhere, or its file may be read by others.
        """
        for text in (self._in_folders(name, place), self._in_environment(name), self._in_file(name, place)):
            if text is not None:
                register([text])
                return Secret(str(text))
        raise ConfigurationError(
            f"there is no secret {name}",
            where=place,
            fix=f"Give it as a file {name} in $CREDENTIALS_DIRECTORY or {RUN_SECRETS}, as a variable of the "
            f"environment, or in {self._label or 'a secrets_file'}.",
        )

    def _in_folders(self, name: str, place: str) -> str | None:
        folders = [Path(given)] if (given := self._environment.get("CREDENTIALS_DIRECTORY")) else []
        for folder in (*folders, RUN_SECRETS):
            path = folder / name
            if path.exists():
                try:
                    return _text(path, str(path), _LARGEST_SECRET).rstrip("\r\n")
                except ConfigurationError as error:
                    raise ConfigurationError(f"{error.where}: {error.what}", where=place, fix=error.fix) from error
        return None

    def _in_environment(self, name: str) -> str | None:
        as_variable = re.sub(r"[.-]", "_", name).upper()
        found = self._environment.get(name)
        return self._environment.get(as_variable) if found is None else found

    def _in_file(self, name: str, place: str) -> str | None:
        if self._listed is None:
            try:
                self._listed = self._read_file() if self._file is not None else {}
            except ConfigurationError as error:
                if error.where != self._label:
                    raise  # it has a line of its own
                raise ConfigurationError(f"{error.where}: {error.what}", where=place, fix=error.fix) from error
        return self._listed.get(name)

    def _read_file(self) -> dict[str, str]:
        assert self._file is not None
        _only_its_owner(self._file, self._label)
        listed = read_variables(self._file, self._label)
        register(listed.values())
        return listed


def _only_its_owner(path: Path, label: str) -> None:
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return  # the reader tells
    if stat.S_IMODE(mode) & 0o077:
        raise ConfigurationError(
            f"others may read this file of secrets: its mode is {stat.S_IMODE(mode):04o}",
            where=label,
            fix=f"Run: chmod 600 {shlex.quote(label)}.",
        )
