"""From a message to the bytes of a file, or of a line."""

from __future__ import annotations

import base64
import binascii
import csv
import io
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from junctor.core.expressions import Expression, Variables
from junctor.core.expressions.template import as_text
from junctor.core.outcome import Park
from junctor.messages import codec

OutFormat = Literal["json", "json-lines", "csv", "text", "bytes"]

LINES = ("json-lines", "csv", "text")
"""Formats of which one message is one line or row, so that another one can stand behind it."""


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What is written of a message.

    ``value`` is computed from the message; without it, it is the body. ``columns`` are those of ``csv``, by name.
    """

    format: OutFormat
    value: Expression | None = None
    columns: Mapping[str, Expression] = {}
    delimiter: str = ","
    encoding: str = "utf-8"

    @property
    def head(self) -> bytes:
        """What a new file begins with: the names of the columns."""
        return self._row(list(self.columns)) if self.format == "csv" else b""

    def of(self, body: Any, variables: Variables) -> bytes:
        """The bytes for a message.

        :raises Park: it has no such content.
        :raises ExpressionFailed: an expression cannot be evaluated for it.
        """
        if self.format == "csv":
            return self._row([self._cell(each, variables) for each in self.columns.values()])
        value = body if self.value is None else self.value.value(variables)
        if self.format == "bytes":
            return _raw(value)
        if self.format == "text":
            return self._line(value)
        return codec.encode(value) + b"\n"

    def _line(self, value: Any) -> bytes:
        if self.value is None and not isinstance(value, str):
            raise Park(f"the body is {type(value).__name__} and no text; give an expression: content: body.text")
        text = as_text(value)
        return self._encoded(text if text.endswith("\n") else f"{text}\n")

    def _cell(self, expression: Expression, variables: Variables) -> str:
        value = expression.value(variables)
        return "" if value is None else as_text(value)

    def _row(self, cells: list[str]) -> bytes:
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=self.delimiter, lineterminator="\n").writerow(cells)
        return self._encoded(text.getvalue())

    def _encoded(self, text: str) -> bytes:
        try:
            return text.encode(self.encoding)
        except UnicodeEncodeError as error:
            raise Park(f"{error.object[error.start : error.end]!r} cannot be written as {self.encoding}") from error


def _raw(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    try:
        return base64.b64decode(value, validate=True)
    except (TypeError, ValueError, binascii.Error) as error:
        raise Park("the content is no base64, so it stands for no bytes") from error
