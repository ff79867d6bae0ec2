"""What follows from an error of an operation: the setting ReplyCodeActions, as InterSystems IRIS has it.

``E*timeout=RS,E#404=C,E=F,X=W`` reads: an error whose text has "timeout" is tried again and suspended when that does
not help, one with the number 404 counts as done, every other fails, and where there is no reply a warning is logged.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from junctor.errors import ConfigurationError

Step = Literal["done", "warn", "retry", "suspend", "disable", "fail"]

_LETTERS: dict[str, Step] = {
    "C": "done",
    "W": "warn",
    "R": "retry",
    "S": "suspend",
    "D": "disable",
    "F": "fail",
}
_PAIR = re.compile(r"\(([^()]*)\)=([A-Z]+)|([^=,()]+)=([A-Z]+)", re.IGNORECASE)
_WHICH = re.compile(r"[Ee][#*].+", re.DOTALL)
_EXAMPLE = "Write for example E*timeout=R,E=F; the actions are C, W, R, S, D and F."


class ReplyCode(msgspec.Struct, frozen=True):
    """One code with its actions. ``kind`` is E for an error, X for no reply; ``text`` or ``number`` say which error."""

    kind: Literal["E", "X"]
    actions: tuple[Step, ...]
    text: str = ""
    number: str = ""

    @property
    def rank(self) -> int:
        """The closest code counts: by number, by text, then any."""
        return 0 if self.number else 1 if self.text else 2

    def fits(self, error: BaseException | None) -> bool:
        """Whether it is about this error; None is a message without a reply."""
        if error is None or self.kind == "X":
            return error is None and self.kind == "X"
        if self.number:
            return self.number in _numbers(error)
        return self.text.lower() in str(error).lower()


def read_reply_codes(text: str, where: str = "ReplyCodeActions") -> tuple[ReplyCode, ...]:
    """The codes of the setting, the closest first.

    :raises ConfigurationError: a part of it is not written as above.
    """
    codes: list[ReplyCode] = []
    rest = text.strip().lstrip(":")
    while rest:
        found = _PAIR.match(rest)
        if found is None or (found.end() < len(rest) and rest[found.end()] != ","):
            raise ConfigurationError(f"{rest[:60]!r} is no reply code with its actions", where=where, fix=_EXAMPLE)
        names, actions = found[1] or found[3], found[2] or found[4]
        codes += [_code(name.strip().lstrip(":"), actions, where) for name in names.split(",")]
        rest = rest[found.end() :].lstrip(", ")
    return tuple(sorted(codes, key=lambda code: code.rank))


def actions_for(codes: tuple[ReplyCode, ...], error: BaseException | None) -> tuple[Step, ...]:
    """What follows from an error, or from a missing reply; empty where nothing is said of it."""
    return next((code.actions for code in codes if code.fits(error)), ())


def step_now(actions: tuple[Step, ...], attempt: int, attempts: int) -> Step | None:
    """What is done after the failure of attempt number ``attempt``: another one while there are any, else the last of
    the other actions; a warning alone counts as done."""
    if "retry" in actions and attempt < attempts:
        return "retry"
    others = [action for action in actions if action not in ("retry", "warn")]
    if others:
        return others[-1]
    return "fail" if "retry" in actions else "warn" if actions else None


def _code(name: str, actions: str, where: str) -> ReplyCode:
    letters = actions.upper()
    unknown = [letter for letter in letters if letter not in _LETTERS]
    kind = name[:1].upper()
    if unknown or kind not in ("E", "X") or (len(name) > 1 and not _WHICH.fullmatch(name)):
        raise ConfigurationError(f"{name}={actions} is no reply code with its actions", where=where, fix=_EXAMPLE)
    steps = tuple(_LETTERS[letter] for letter in letters)
    text, number = (name[2:], "") if name[1:2] == "*" else ("", name[2:])
    return ReplyCode("X" if kind == "X" else "E", steps, text, number)


def _numbers(error: BaseException) -> set[str]:
    """The numbers that an error goes by."""
    found = (getattr(error, name, None) for name in ("errno", "code", "status", "status_code", "returncode"))
    return {str(number) for number in found if isinstance(number, int | str)}
