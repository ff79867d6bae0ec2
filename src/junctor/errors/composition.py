"""Found before anything runs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from junctor.errors.root import JunctorError, has_line


class ConfigurationError(JunctorError):
    """The flow, a setting or a command line cannot be used as written. The process ends with exit code 78.

    ``rest`` is what could be made in spite of it, for those who look for more that is wrong.
    """

    code = "configuration"
    default_fix = "Correct the named place and start again."
    rest: Any = None


class SettingError(ConfigurationError):
    """A setting is unknown, missing, of the wrong type or out of bounds."""

    code = "setting"
    default_fix = "Give the setting a value of its declared type within its bounds."


class ImportFailed(ConfigurationError):
    """A file or class named by the flow cannot be imported."""

    code = "import-failed"
    default_fix = "Run the file alone with python to see its own error."


class WiringError(ConfigurationError):
    """A target of a service has no, or more than one, service it could be connected to."""

    code = "wiring"
    default_fix = "Name the service in connect={...}."


class SeveralProblems(ConfigurationError):
    """A flow has more than one problem; ``problems`` has them all, each with its own place and fix."""

    code = "several-problems"
    default_fix = "Correct each of them and start again."

    problems: tuple[ConfigurationError, ...] = ()

    @classmethod
    def of(cls, problems: Iterable[ConfigurationError], where: str) -> ConfigurationError:
        """One error for all of them; a single one is returned as it is."""
        found = tuple(problems)
        if len(found) == 1:
            return found[0]
        error = cls("".join([f"{len(found)} problems", *(f"\n  {problem}" for problem in found)]), where=where)
        error.problems = found
        return error

    def __str__(self) -> str:
        return f"{self.where or 'configuration'}: {self.what}\n{self.fix}"


class TypeClash(ConfigurationError):
    """Two message types of one flow claim the same name."""

    code = "type-clash"
    default_fix = "Give one of them another name with @message(name=...)."


def located(error: ConfigurationError, place: str) -> ConfigurationError:
    """The error with a place behind what it names, ``cpu.limit (cpu.py:14)``; one that has a line already keeps it.

    It is the same object: its class may be a user's, which nobody knows how to make.
    """
    if not place:
        return error
    if isinstance(error, SeveralProblems):
        whole = SeveralProblems.of([located(problem, place) for problem in error.problems], error.where or place)
        whole.rest = error.rest
        whole.__cause__ = error.__cause__
        return whole
    if has_line(error):
        return error
    error.where = f"{error.where} ({place})" if error.where else place
    return error
