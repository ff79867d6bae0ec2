"""Texts with expressions in braces."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Self

import msgspec

from junctor.core.expressions.expression import Expression
from junctor.core.expressions.text import tokens
from junctor.core.expressions.variables import Variables
from junctor.errors import ConfigurationError, ExpressionFailed


class _Placeholder(Expression):
    __slots__ = ()
    kind = "placeholder"


class Template:
    """A text with expressions in braces, as the type of a setting: ``orders/{body.customer}/{message.id}.json``. A
    brace that is meant as itself is written twice."""

    __slots__ = ("_parts", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._parts: tuple[str | _Placeholder, ...] = tuple(_parts(text))

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read what a setting says.

        :raises ConfigurationError: a brace is not closed, or what is in it is no expression.
        """
        return cls(text)

    @property
    def parts(self) -> tuple[str | Expression, ...]:
        """Its texts and its placeholders, in their order."""
        return self._parts

    @property
    def constant(self) -> str | None:
        """The text where nothing in it depends on a message, else None."""
        texts = [part for part in self._parts if isinstance(part, str)]
        return "".join(texts) if len(texts) == len(self._parts) else None

    def fill(self, variables: Variables, quote: Callable[[str], str] | None = None) -> str:
        """The text for a message.

        :param quote: makes the text of a placeholder fit for what surrounds it: of a URL, of a file name. What it
            raises is passed on.
        :raises ExpressionFailed: a placeholder cannot be evaluated, or is null.
        """
        quoted = quote or str
        return "".join(part if isinstance(part, str) else quoted(_text(part, variables)) for part in self._parts)

    def check(self, *variables: str) -> None:
        """Refuse it where it looks at something else than these.

        :raises ConfigurationError: it does.
        """
        for part in self._parts:
            if isinstance(part, _Placeholder):
                part.check(*variables)

    def __bool__(self) -> bool:
        return bool(self.text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Template) and other.text == self.text

    def __hash__(self) -> int:
        return hash((Template, self.text))

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __repr__(self) -> str:
        return f"Template({self.text!r})"

    def __str__(self) -> str:
        return self.text


def as_text(value: Any) -> str:
    """A value as it stands in a text: true and false, numbers without needless decimals, lists and mappings as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return str(value) if isinstance(value, (int, float)) else msgspec.json.encode(value).decode()


def _text(part: _Placeholder, variables: Variables) -> str:
    value = part.value(variables)
    if value is None:
        raise ExpressionFailed(f"the placeholder `{{{part.text}}}` is null")
    return as_text(value)


def _parts(text: str) -> list[str | _Placeholder]:
    made: list[str | _Placeholder] = []
    plain, at = "", 0
    while at < len(text):
        if text[at : at + 2] in ("{{", "}}"):
            plain, at = plain + text[at], at + 2
        elif text[at] == "{":
            end = _closing(text, at)
            made += [plain, _Placeholder(text[at + 1 : end].strip())]
            plain, at = "", end + 1
        elif text[at] == "}":
            raise ConfigurationError(
                f"a brace is closed that is not open, at `{text[at:][:20]}`", fix="Write }} for }."
            )
        else:
            plain, at = plain + text[at], at + 1
    return [part for part in (*made, plain) if part != ""]


def _closing(text: str, begin: int) -> int:
    """Where the brace that is open here is closed: braces in it and texts in quotes belong to the expression."""
    depth = 0
    for token in tokens(text[begin:]):
        depth += {"{": 1, "}": -1}.get(token.text, 0) if token.kind == "sign" else 0
        if depth == 0:
            return begin + token.at
    raise ConfigurationError(
        f"a brace is not closed: `{text[begin:][:40]}`",
        fix="Close it, or write {{ for a brace that is meant as itself.",
    )
