"""A condition on a connection: an expression in CEL, the Common Expression Language, over a message.

CEL is total by design: no loops but over finite lists, no assignment, nothing of Python in reach. The expression comes
from the flow file; what it looks at comes from messages. Its bounds are in :mod:`junctor.core.expression`.
"""

from __future__ import annotations

import functools
import importlib.machinery
import importlib.util
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from junctor.core import expression
from junctor.errors import ConditionFailed, ConfigurationError, MissingExtra, nearest, text_of
from junctor.messages import NO_HEADERS, codec
from junctor.messages.types import is_body_class, type_name

STEPS = 1_000_000
"""Steps that going through the lists of one message may take, as far as can be told before: about a second."""

LETTERS = 64 * 1024 * 1024
"""Characters of the texts that joining those of one message may make, as far as can be told before."""

_loading = threading.Lock()


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
        _, uses = _compiled(self.text, self.where)
        for path in uses.paths:
            if fields is not None and path and path[0] not in fields:
                fix = nearest(path[0], fields).strip() or "The body has no fields."
                raise ConfigurationError(f'the body has no field "{path[0]}"', where=self._place, fix=fix)

    def holds(self, body: Any, key: str | None = None, headers: Mapping[str, str] | None = None) -> bool:
        """Whether the message fulfils it.

        :raises ConditionFailed: it cannot be evaluated for this message, or its value is no truth value.
        """
        execute, uses = _compiled(self.text, self.where)
        try:
            seen: dict[str, Any] = {"key": key}
            if "body" in uses.variables:
                seen["body"] = codec.to_plain(body)
            if "headers" in uses.variables:
                seen["headers"] = dict(headers or NO_HEADERS)
            if "type" in uses.variables:
                seen["type"] = type_name(type(body) if is_body_class(type(body)) else Any)
            if uses.power or uses.sums:
                self._bound(uses, list(seen.values()))
            value = execute(seen)
        except ConditionFailed:
            raise
        except Exception as error:
            raise self._failed(error) from error
        except BaseException as error:
            if not _panic(error):
                raise
            raise self._failed(error) from error
        if type(value) is not bool:
            raise ConditionFailed(
                f"{self} is {type(value).__name__} {_one_line(repr(value))}, neither true nor false", where=self._place
            )
        return value

    def _bound(self, uses: expression.Uses, seen: list[Any]) -> None:
        count, letters = _extent(seen)
        if count**uses.power > STEPS:
            what = f"{self} goes through lists, and this message has {count} elements"
            raise ConditionFailed(what, where=self._place)
        if uses.sums and letters * (uses.sums + 1) * (count if uses.power else 1) > LETTERS:
            what = f"{self} joins texts, and those of this message have {letters} characters"
            raise ConditionFailed(what, where=self._place)

    @property
    def _place(self) -> str:
        return self.where or "condition"

    def _failed(self, error: BaseException) -> ConditionFailed:
        return ConditionFailed(f"{self} cannot be evaluated: {_reason(error)}", where=self._place)

    def __str__(self) -> str:
        return f"the condition `{_one_line(self.text, 300)}`"


@functools.lru_cache(maxsize=4096)
def _compiled(text: str, where: str) -> tuple[Callable[[dict[str, Any]], Any], expression.Uses]:
    """The function that evaluates an expression, and what it uses.

    :raises ConfigurationError: it is none, or none that may be a condition.
    """
    place = where or "condition"
    if not text.strip():
        raise ConfigurationError("the condition is empty", where=place, fix="Write for example body.value > 80.")
    uses = expression.read(text, place)
    try:
        program = _cel().compile(text)
    except BaseException as error:
        if not isinstance(error, Exception) and not _panic(error):
            raise
        raise _not_compiled(text, error, place) from error
    if uses.unknown is not None:
        what, fix = uses.unknown
        raise ConfigurationError(what, where=place, fix=fix)
    return program.execute, uses


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
        "conditions need the package common-expression-language",
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


def _not_compiled(text: str, error: BaseException, place: str) -> ConfigurationError:
    """The parser's first complaint on one line: what it says, and the text before and behind the place it means."""
    first = str(error).partition("ERROR: ")[2] or str(error)
    position, _, complaint = first.partition(": ")
    what = _one_line(complaint.partition("\n")[0] or first).removeprefix("Syntax error: ")
    _, line, column = [*position.split(":"), "", "", ""][:3]
    at = ""
    if line.isdigit() and column.isdigit():
        lines = text.split("\n")
        row, offset = min(int(line), len(lines)), int(column) - 1
        before, behind = lines[row - 1][:offset], lines[row - 1][offset:]
        at = f" at `{_one_line(before)[-40:]}` ^ `{_one_line(behind)[:40]}`" if behind.strip() else ""
    what = "it ends too early" if "'<EOF>'" in what and not at else what.partition(" expecting {")[0]
    return ConfigurationError(
        f"`{_one_line(text)}` is not a condition: {what}{at}",
        where=place,
        fix='Write CEL, for example body.value > 80 && body.sensor.startsWith("cpu").',
    )


def _reason(error: BaseException) -> str:
    text = _one_line(text_of(error), 300)
    if isinstance(error, KeyError):
        return f"there is no {text.strip(chr(34))} in this message"
    if "No such overload" in text:
        return "a value has another type than the operation needs"
    text = text.partition(" CEL does not coerce")[0].partition(". Check ")[0].rstrip(".")
    return f"{text or type(error).__name__}"


def _one_line(text: str, longest: int = 120) -> str:
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest - 3]}..."
