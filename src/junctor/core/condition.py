"""A condition on a connection: an expression over a message that is true or false."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from junctor.core.expressions.evaluation import Program, one_line, program
from junctor.core.expressions.text import MESSAGE
from junctor.errors import ConditionFailed, ConfigurationError, ExpressionFailed, nearest, text_of
from junctor.messages import NO_HEADERS, codec
from junctor.messages.types import is_body_class, type_name


class Condition(msgspec.Struct, frozen=True):
    """``body.value > 80.0 && body.sensor.startsWith("cpu")``: ``body`` is the message as data, ``key`` the key that its
    sender gave (null for none), ``headers`` its headers, ``type`` the name of its type.

    ``text`` as written; ``where`` the place where it is written, for errors.
    """

    text: str
    where: str = ""

    def check(self, fields: frozenset[str] | None = None) -> None:
        """Compile it.

        :param fields: the fields that the body has, where they are known.
        :raises ConfigurationError: it is no expression, or names something that a message does not have.
        """
        for path in self._program.uses.paths:
            if fields is not None and path and path[0] not in fields:
                fix = nearest(path[0], fields).strip() or "The body has no fields."
                raise ConfigurationError(f'the body has no field "{path[0]}"', where=self._place, fix=fix)

    def holds(self, body: Any, key: str | None = None, headers: Mapping[str, str] | None = None) -> bool:
        """Whether the message fulfils it.

        :raises ConditionFailed: it cannot be evaluated for this message, or its value is no truth value.
        """
        compiled = self._program
        uses = compiled.uses.variables
        seen: dict[str, Any] = {"key": key}
        try:
            if "body" in uses:
                seen["body"] = codec.to_plain(body)
            if "headers" in uses:
                seen["headers"] = dict(headers or NO_HEADERS)
            if "type" in uses:
                seen["type"] = type_name(type(body) if is_body_class(type(body)) else Any)
            value = compiled.value(seen)
        except ExpressionFailed as error:
            raise ConditionFailed(error.what, where=self._place) from error.__cause__
        except Exception as error:  # the body has no data to look at
            what = f"{self} cannot be evaluated: {one_line(text_of(error), 300)}"
            raise ConditionFailed(what, where=self._place) from error
        if type(value) is not bool:
            raise ConditionFailed(
                f"{self} is {type(value).__name__} {one_line(repr(value))}, neither true nor false", where=self._place
            )
        return value

    @property
    def _program(self) -> Program:
        return program(self.text, self.where, "condition", MESSAGE)

    @property
    def _place(self) -> str:
        return self.where or "condition"

    def __str__(self) -> str:
        return f"the condition `{one_line(self.text, 300)}`"
