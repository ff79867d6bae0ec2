"""Compiling and evaluating expressions in CEL, the Common Expression Language, over messages.

CEL is total by design: no loops but over finite lists, no assignment, nothing of Python in reach. The expression comes
from the flow file; what it looks at comes from messages. Its bounds are in :mod:`junctor.core.expressions.text`.
"""

from __future__ import annotations

import functools
import importlib.machinery
import importlib.util
import sys
import threading
from collections.abc import Callable, Collection, Mapping
from typing import Any

import msgspec

from junctor.core.expressions import text as reading
from junctor.core.expressions.text import Uses
from junctor.errors import ConfigurationError, ExpressionFailed, MissingExtra, text_of

STEPS = 1_000_000
"""Steps that going through the lists of one message may take, as far as can be told before: about a second."""

LETTERS = 64 * 1024 * 1024
"""Characters of the texts that joining those of one message may make, as far as can be told before."""

_loading = threading.Lock()


class Program(msgspec.Struct, frozen=True):
    """A compiled expression: what evaluates it, what it uses, and what it is called in errors."""

    execute: Callable[[dict[str, Any]], Any]
    uses: Uses
    called: str
    text: str = ""

    def value(self, seen: Mapping[str, Any]) -> Any:
        """What it comes to.

        :param seen: the variables that it uses, as plain data.
        :raises ExpressionFailed: it cannot be evaluated for these.
        """
        if self.uses.power or self.uses.sums:
            self._bound(list(seen.values()))
        try:
            return self.execute(dict(seen))
        except Exception as error:
            raise self._failed(error) from error
        except BaseException as error:
            if not _panic(error):
                raise
            raise self._failed(error) from error

    def number(self, seen: Mapping[str, Any]) -> Any:
        """What it comes to where whole numbers and decimals are numbers alike, as they are in JSON: 3 and 2.5 may be
        the price of two messages. CEL does not compute with both at once; then all of them are taken as decimals.

        :raises ExpressionFailed: it cannot be evaluated for these.
        """
        try:
            return self.value(seen)
        except ExpressionFailed as error:
            if "nsupported" not in str(error.__cause__) and "overload" not in str(error.__cause__):
                raise
            try:
                return _widened(self.text)({name: _decimal(value) for name, value in seen.items()})
            except BaseException as second:
                if not isinstance(second, Exception) and not _panic(second):
                    raise
                raise error from error.__cause__

    def _bound(self, seen: list[Any]) -> None:
        uses = self.uses
        count, letters = _extent(seen)
        if count**uses.power > STEPS:
            raise ExpressionFailed(f"{self.called} goes through lists, and this message has {count} elements")
        if uses.sums and letters * (uses.sums + 1) * (count if uses.power else 1) > LETTERS:
            raise ExpressionFailed(f"{self.called} joins texts, and those of this message have {letters} characters")

    def _failed(self, error: BaseException) -> ExpressionFailed:
        return ExpressionFailed(f"{self.called} cannot be evaluated: {_reason(error)}")


@functools.lru_cache(maxsize=4096)
def program(text: str, where: str, kind: str, variables: Collection[str]) -> Program:
    """Compile an expression.

    :param kind: what it is, for errors: ``condition``.
    :param variables: the names that it may look at.
    :raises ConfigurationError: it is none, or looks at something else.
    """
    place = where or kind
    if not text.strip():
        raise ConfigurationError(f"the {kind} is empty", where=place, fix=f"Write for example {_EXAMPLES[kind]}.")
    uses = reading.read(text, place, kind, variables)
    try:
        made = _cel().compile(text)
    except BaseException as error:
        if not isinstance(error, Exception) and not _panic(error):
            raise
        raise _not_compiled(text, error, place, kind) from error
    if uses.unknown is not None:
        what, fix = uses.unknown
        raise ConfigurationError(what, where=place, fix=fix)
    return Program(made.execute, uses, f"the {kind} `{one_line(text, 300)}`", text)


@functools.lru_cache(maxsize=1024)
def _widened(text: str) -> Callable[[dict[str, Any]], Any]:
    """The expression with decimals where it has whole numbers."""
    made, end = "", 0
    for token in reading.tokens(text):
        made += text[end : token.at]
        end = token.at + len(token.text)
        whole = token.kind == "number" and token.text.isdigit()
        made += f"{token.text}.0" if whole else token.text
    return _cel().compile(made + text[end:]).execute  # type: ignore[no-any-return]


def _decimal(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _decimal(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_decimal(part) for part in value]
    return float(value) if type(value) is int else value


_EXAMPLES = {"condition": "body.value > 80", "expression": "body.price * 1.2", "placeholder": "{body.id}"}


def _cel() -> Any:
    """The extension module of ``common-expression-language``. Its package would import a command line with it, 20 MB;
    it may be loaded only once in a process, so it is found under its own name by whoever imports it later."""
    with _loading:
        loaded = sys.modules.get("cel.cel")
        if loaded is not None:
            return loaded
        package = importlib.util.find_spec("cel")
        folders = package.submodule_search_locations if package is not None else None
        details = (importlib.machinery.ExtensionFileLoader, importlib.machinery.EXTENSION_SUFFIXES)
        for folder in folders or ():
            spec = importlib.machinery.FileFinder(folder, details).find_spec("cel")
            if spec is not None and spec.loader is not None:
                spec.name = spec.loader.name = "cel.cel"  # type: ignore[attr-defined]
                module = importlib.util.module_from_spec(spec)
                spec.loader.exec_module(module)
                sys.modules["cel.cel"] = module
                return module
    raise MissingExtra(
        "expressions need the package common-expression-language",
        fix="Install it: pip install common-expression-language.",
    )


def _panic(error: BaseException) -> bool:
    """A panic of the library is no Exception; whatever else is none ends the program as it has to."""
    return type(error).__name__ == "PanicException"


def _extent(value: Any) -> tuple[int, int]:
    """The number of values in a message, at all depths, and the characters of its texts."""
    count, letters, waiting = 0, 0, [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            letters += len(part)
            continue
        parts = part.values() if isinstance(part, dict) else part if isinstance(part, list | tuple) else ()
        count += len(parts)
        waiting += parts
    return count, letters


def _not_compiled(text: str, error: BaseException, place: str, kind: str) -> ConfigurationError:
    """The parser's first complaint on one line: what it says, and the text before and behind the place it means."""
    first = str(error).partition("ERROR: ")[2] or str(error)
    position, _, complaint = first.partition(": ")
    what = one_line(complaint.partition("\n")[0] or first).removeprefix("Syntax error: ")
    _, line, column = [*position.split(":"), "", "", ""][:3]
    at = ""
    if line.isdigit() and column.isdigit():
        lines = text.split("\n")
        row, offset = min(int(line), len(lines)), int(column) - 1
        before, behind = lines[row - 1][:offset], lines[row - 1][offset:]
        at = f" at `{one_line(before)[-40:]}` ^ `{one_line(behind)[:40]}`" if behind.strip() else ""
    what = "it ends too early" if "'<EOF>'" in what and not at else what.partition(" expecting {")[0]
    return ConfigurationError(
        f"`{one_line(text)}` is not {'an' if kind == 'expression' else 'a'} {kind}: {what}{at}",
        where=place,
        fix='Write CEL, for example body.value > 80 && body.sensor.startsWith("cpu").' if kind == "condition" else None,
    )


def _reason(error: BaseException) -> str:
    text = one_line(text_of(error), 300)
    if isinstance(error, KeyError):
        return f"there is no {text.strip(chr(34))} in this message"
    if "No such overload" in text:
        return "a value has another type than the operation needs"
    text = text.partition(" CEL does not coerce")[0].partition(". Check ")[0].rstrip(".")
    return f"{text or type(error).__name__}"


def one_line(text: str, longest: int = 120) -> str:
    """The text for a sentence: on one line, shortened."""
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest - 3]}..."
