"""A value that a setting computes from a message."""

from __future__ import annotations

from typing import Any, Self

from junctor.core.expressions.evaluation import Program, program
from junctor.core.expressions.variables import KNOWN, Variables
from junctor.errors import ConfigurationError, ExpressionFailed


class Expression:
    """An expression in CEL as the type of a setting: ``total: Expression = setting("body.price * body.count")``.

    Whole numbers and decimals mix, as in JSON; two whole numbers are divided as such: 7 / 2 is 3.
    """

    __slots__ = ("text",)
    kind = "expression"

    def __init__(self, text: str) -> None:
        self.text = text
        self._program  # noqa: B018 - compiled here, so that an error is told where it is written

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read what a setting says.

        :raises ConfigurationError: it is no expression.
        """
        return cls(text)

    @property
    def _program(self) -> Program:
        return program(self.text, "", self.kind, KNOWN)

    def value(self, variables: Variables) -> Any:
        """What it comes to, as plain data.

        :raises ExpressionFailed: it cannot be evaluated for these.
        """
        compiled = self._program
        try:
            seen = variables.of(compiled.uses.variables)
        except KeyError as error:
            raise ExpressionFailed(f"{compiled.called}: there is no {error.args[0]} here") from None
        return compiled.number(seen)

    def holds(self, variables: Variables) -> bool:
        """Whether it is true.

        :raises ExpressionFailed: it is neither true nor false.
        """
        value = self.value(variables)
        if type(value) is not bool:
            what = f"{self._program.called} is {type(value).__name__}, neither true nor false"
            raise ExpressionFailed(what)
        return value

    def check(self, *variables: str) -> None:
        """Refuse it where it looks at something else than these.

        :raises ConfigurationError: it does.
        """
        for name in sorted(self._program.uses.variables.difference(variables)):
            fix = f"It may look at: {', '.join(variables)}."
            raise ConfigurationError(f'there is no "{name}" here', fix=fix)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.text == self.text

    def __hash__(self) -> int:
        return hash((type(self), self.text))

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.text!r})"

    def __str__(self) -> str:
        return self.text
