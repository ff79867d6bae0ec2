"""The text of an expression, read as far as needed to bound what evaluating it can cost and to name what it looks at.

CEL ends always, but not always soon: lists in lists multiply, and a parser can be nested to death. A flow file may
come from a colleague, and the lists it looks at from anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

import msgspec

from junctor.errors import ConfigurationError, nearest

LONGEST = 1000
"""Characters of an expression."""

DEEPEST = 20
"""Brackets within brackets."""

MACROS = {"all": 1, "exists": 1, "exists_one": 1, "existsOne": 1, "filter": 2, "map": 2}
"""What goes through a list, with the power of its length that this costs: ``map`` and ``filter`` copy as they go."""

MOST_MACROS, DEEPEST_MACRO = 3, 2
"""Macros in an expression, and macros within macros."""

MOST_SUMS = 20
"""Additions: each may double what it gets."""

MESSAGE = ("body", "headers", "key", "type")
"""The variables of a condition."""

FUNCTIONS = frozenset(
    "size contains startsWith endsWith matches string int uint double bytes type dyn duration timestamp has "
    "getFullYear getMonth getDate getDayOfMonth getDayOfWeek getDayOfYear getHours getMinutes getSeconds "
    "getMilliseconds".split()
)
_WORDS = frozenset({"true", "false", "null", "in", "int", "uint", "double", "string", "bytes", "bool"})

_TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*)
    |(?P<string>(?:[bB]?[rR]|[rR][bB])(?:\"\"\".*?\"\"\"|'''.*?'''|"[^"\n]*"|'[^'\n]*')
      |[bB]?(?:\"\"\"(?:\\.|.)*?\"\"\"|'''(?:\\.|.)*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))
    |(?P<number>0[xX][0-9a-fA-F]+[uU]?|(?:\d+\.\d+|\.\d+|\d+)(?:[eE][+-]?\d+)?[uU]?)
    |(?P<name>[A-Za-z_]\w*)
    |(?P<sign>&&|\|\||[<>=!]=|.)""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)


class Token(msgspec.Struct, frozen=True):
    """A part of an expression; ``at`` is where it begins, from 0."""

    kind: str
    text: str
    at: int


class Uses(msgspec.Struct, frozen=True):
    """What an expression looks at: its variables, and the paths below ``body`` (``("sensor", "name")``).

    ``power``: going through lists of n elements costs n to this power; 0 where it goes through none. ``unknown`` is
    what to say, and the fix, of the first name that there is not. ``sums`` counts the additions, which also join texts.
    """

    variables: frozenset[str]
    paths: tuple[tuple[str, ...], ...]
    power: int
    unknown: tuple[str, str] | None = None
    sums: int = 0


class _Macro(msgspec.Struct):
    """A macro whose bracket is open: the variable it binds, the depth of its bracket, and its cost so far."""

    variable: str
    depth: int
    power: int
    again: bool = False
    inner: int = 0


def tokens(text: str) -> Iterator[Token]:
    """The parts of an expression without blanks and comments. What is no CEL comes as single signs."""
    for match in _TOKEN.finditer(text):
        if match.lastgroup != "space":
            yield Token(match.lastgroup or "sign", match.group(), match.start())


def read(text: str, where: str, kind: str = "condition", variables: Collection[str] = MESSAGE) -> Uses:
    """What an expression uses.

    :param kind: what it is, for errors.
    :param variables: the names that it may look at.
    :raises ConfigurationError: it is too long or too deep to be one.
    """
    if len(text) > LONGEST:
        raise _refused(where, f"the {kind} has {len(text)} characters, the limit is {LONGEST}")
    return _Reader(list(tokens(text)), where, kind, variables).read()


class _Reader:
    def __init__(self, parts: Sequence[Token], where: str, kind: str, variables: Collection[str]) -> None:
        self._parts = parts
        self._where = where
        self._kind_of = kind
        self._known = variables
        self._open: list[_Macro] = []
        self._variables: set[str] = set()
        self._paths: list[tuple[str, ...]] = []
        self._macros = 0
        self._power = 0
        self._unknown: tuple[str, str] | None = None

    def read(self) -> Uses:
        depth = sums = 0
        for index, part in enumerate(self._parts):
            if part.text in ("(", "[", "{"):
                depth += 1
                if depth > DEEPEST:
                    raise _refused(self._where, f"the {self._kind_of} has more than {DEEPEST} brackets within brackets")
            elif part.text in (")", "]", "}"):
                depth -= 1
                self._close(depth)
            elif part.text == "+":
                sums += 1
                if sums > MOST_SUMS:
                    raise _refused(self._where, f"the condition has more than {MOST_SUMS} additions")
            elif part.kind == "name":
                self._name(index, part.text, depth)
        return Uses(frozenset(self._variables), tuple(dict.fromkeys(self._paths)), self._power, self._unknown, sums)

    def _name(self, index: int, name: str, depth: int) -> None:
        called, selected = self._sign(index + 1) == "(", self._sign(index - 1) == "."
        if called and selected and name in MACROS:
            self._enter(name, self._parts[index + 2].text if index + 2 < len(self._parts) else "", depth)
        elif called:
            if name not in FUNCTIONS:
                self._unknown = self._unknown or self._told("function", name, {*FUNCTIONS, *MACROS})
        elif not selected:
            self._variable(index, name)

    def _enter(self, name: str, variable: str, depth: int) -> None:
        self._macros += 1
        if self._macros > MOST_MACROS or len(self._open) >= DEEPEST_MACRO:
            raise _refused(
                self._where,
                f"the {self._kind_of} has more than {MOST_MACROS} of {', '.join(MACROS)}, or more than {DEEPEST_MACRO} "
                "within each other",
            )
        self._open.append(_Macro(variable, depth, MACROS[name]))

    def _close(self, depth: int) -> None:
        while self._open and self._open[-1].depth >= depth:
            macro = self._open.pop()
            power = macro.power + macro.again + macro.inner
            if self._open:
                self._open[-1].inner = max(self._open[-1].inner, power)
            self._power = max(self._power, power)

    def _variable(self, index: int, name: str) -> None:
        if name in _WORDS or any(name == macro.variable for macro in self._open):
            return
        if name not in self._known:
            self._unknown = self._unknown or self._told("variable", name, self._known)
        self._variables.add(name)
        for macro in self._open:
            # Looking at the message once an element may go through all of it each time.
            macro.again = macro.again or name in ("body", "headers")
        if name == "body":
            self._paths.append(tuple(self._path(index + 1)))

    def _path(self, index: int) -> Iterator[str]:
        """The fields behind a variable: ``.a.b`` and ``["a"]``, up to what is no field."""
        while True:
            if self._sign(index) == "." and self._kind(index + 1) == "name" and self._sign(index + 2) != "(":
                yield self._parts[index + 1].text
                index += 2
            elif self._sign(index) == "[" and self._kind(index + 1) == "string" and self._sign(index + 2) == "]":
                yield self._parts[index + 1].text.strip("\"'")
                index += 3
            else:
                return

    def _told(self, what: str, name: str, known: Collection[str]) -> tuple[str, str]:
        article, fix = "an" if self._kind_of == "expression" else "a", nearest(name, known).strip()
        if what == "variable" and "body" in known and not fix.startswith("Did you mean"):
            fix = f"A field of the body is written body.{name}. {fix}"
        return f'there is no {what} "{name}" in {article} {self._kind_of}', fix

    def _sign(self, index: int) -> str:
        return self._parts[index].text if 0 <= index < len(self._parts) else ""

    def _kind(self, index: int) -> str:
        return self._parts[index].kind if 0 <= index < len(self._parts) else ""


def _refused(where: str, what: str) -> ConfigurationError:
    return ConfigurationError(what, where=where, fix="Decide in a handler what needs more than this.")
