"""Templates: texts with ``{{NAME}}`` and sections, as configuration files have them.

What is understood: ``{{NAME}}`` (nothing where there is no value), ``{{{NAME}}}`` for use between double quotes,
``{{#if NAME}} ... {{else}} ... {{/if}}``, ``{{#unless NAME}} ... {{/unless}}``, ``{{#NAME}} ... {{/NAME}}``,
``{{^NAME}} ... {{/NAME}}`` and comments, ``{{! ... }}``. Names are the same in small and capital letters. A value
counts as true where it is not empty: also ``false`` does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from junctor.dialects.pip_services.commons.convert import StringConverter
from junctor.dialects.pip_services.commons.errors import ConfigException

_TAG = re.compile(r"\{\{\{([^{}]*)\}\}\}|\{\{([^{}]*)\}\}|(\{\{)")
_NAME = re.compile(r"[A-Za-z_][\w.-]*")
_SECTION = re.compile(r"([#^/])\s*(?:(if|unless)\s+)?([^\s]+)")


class MustacheException(ConfigException):
    """A template that cannot be read; ``what`` is wrong, ``line`` says where, counted from 1."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(None, "BAD_TEMPLATE", f"line {line}: {message}")
        self.what = message
        self.line = line
        self.with_details("line", line)


class Rendered(NamedTuple):
    """The text that a template makes, and for each of its lines the line of the template that it begins in."""

    text: str
    lines: tuple[int, ...]

    def line(self, number: int) -> int:
        """The line of the template for one of the text, both counted from 1; behind the text, the last one."""
        return self.lines[min(max(number, 1), len(self.lines)) - 1]


class MustacheTemplate:
    """
    :param template: the text; it can be set later.
    :raises MustacheException: it cannot be read.
    """

    def __init__(self, template: str | None = None) -> None:
        self.default_variables: dict[str, Any] = {}
        self._template = ""
        self._parts: list[_Part] = []
        if template is not None:
            self.set_template(template)

    @property
    def template(self) -> str:
        return self._template

    @template.setter
    def template(self, value: str) -> None:
        self.set_template(value)

    def set_template(self, template: str) -> None:
        """
        :raises MustacheException: it cannot be read.
        """
        self._parts = _parse(template)
        self._template = template

    def evaluate(self) -> str:
        """The text with the default variables."""
        return self.evaluate_with_variables(None)

    def evaluate_with_variables(self, variables: Mapping[str, Any] | None) -> str:
        """The text with these variables."""
        return self.render(variables).text

    def render(self, variables: Mapping[str, Any] | None) -> Rendered:
        """The same with the lines that it comes from: where an error in the text has its cause."""
        given = self.default_variables if variables is None else variables
        values = {str(name).lower(): value for name, value in given.items()}
        pieces = list(_pieces_of(self._parts, values))
        return Rendered("".join(piece.text for piece in pieces), tuple(_line_starts(pieces)))


class _Piece(NamedTuple):
    """A part of the result. A value stands in one line of the template, however many it has itself."""

    text: str
    line: int
    is_value: bool = False


def _line_starts(pieces: Iterable[_Piece]) -> Iterator[int]:
    """The line of the template in which each line of the result begins."""
    begins, line = True, 1
    for text, line, is_value in pieces:
        for part in text.splitlines(keepends=True):
            if begins:
                yield line
            begins = part.endswith("\n")
            line += begins and not is_value
    if begins:
        yield line


class _Text:
    def __init__(self, text: str, line: int) -> None:
        self._piece = _Piece(text, line)

    def pieces(self, values: Mapping[str, Any]) -> Iterator[_Piece]:
        yield self._piece


class _Variable:
    def __init__(self, name: str, line: int, quoted: bool = False) -> None:
        self._name = name.lower()
        self._line = line
        self._quoted = quoted

    def pieces(self, values: Mapping[str, Any]) -> Iterator[_Piece]:
        text = StringConverter.to_string(values.get(self._name))
        text = text.replace("\\", "\\\\").replace('"', '\\"') if self._quoted else text
        yield _Piece(text, self._line, is_value=True)


class _Section:
    """What stands between two tags, and behind an ``{{else}}`` there."""

    def __init__(self, name: str, negated: bool, opened: str, line: int) -> None:
        self.name = name
        self.opened = opened
        self.line = line
        self._negated = negated
        self._branches: tuple[list[_Part], list[_Part]] = ([], [])
        self.in_else = False

    @property
    def parts(self) -> list[_Part]:
        """The branch that is being read."""
        return self._branches[self.in_else]

    def closed_by(self, word: str) -> bool:
        """Whether ``{{/word}}`` ends it: the helper's name, or its own."""
        return word.lower() in (self.opened.lower(), self.name.lower())

    def pieces(self, values: Mapping[str, Any]) -> Iterator[_Piece]:
        holds = bool(StringConverter.to_string(values.get(self.name.lower()))) is not self._negated
        return _pieces_of(self._branches[not holds], values)


_Part = _Text | _Variable | _Section


def _pieces_of(parts: Iterable[_Part], values: Mapping[str, Any]) -> Iterator[_Piece]:
    for part in parts:
        yield from part.pieces(values)


def _parse(template: str) -> list[_Part]:
    parts: list[_Part] = []
    open_sections: list[_Section] = []
    for text, tag, quoted, line in _pieces(template):
        here = open_sections[-1].parts if open_sections else parts
        if text:
            here.append(_Text(text, line))
        elif quoted:
            here.append(_Variable(_name(tag, line), line, quoted=True))
        elif tag[:1] in ("#", "^"):
            section = _opened(tag, line)
            here.append(section)
            open_sections.append(section)
        elif tag[:1] == "/":
            _close(open_sections, tag, line)
        elif tag == "else" and open_sections:
            open_sections[-1].in_else = True
        elif tag[:1] != "!":
            here.append(_Variable(_name(tag, line), line))
    if open_sections:
        left = open_sections[-1]
        raise MustacheException(
            f"the section of {left.name} is not closed: {{{{/{left.opened}}}}} is missing", left.line
        )
    return parts


def _pieces(template: str) -> Iterator[tuple[str, str, bool, int]]:
    """Texts and tags in their order: (text, "", False, line) or ("", tag, whether it has three braces, line)."""
    end, line = 0, 1
    for found in _TAG.finditer(template):
        if found.start() > end:
            yield template[end : found.start()], "", False, line
        line += template.count("\n", end, found.start())
        if found[3]:
            raise MustacheException("{{ is not closed by }}", line)
        quoted = found[1] is not None
        yield "", (found[1] if quoted else found[2]).strip(), quoted, line
        line += template.count("\n", found.start(), found.end())
        end = found.end()
    if end < len(template):
        yield template[end:], "", False, line


def _name(tag: str, line: int) -> str:
    if _NAME.fullmatch(tag):
        return tag
    raise MustacheException(f"{{{{{tag}}}}} is not understood; a variable is {{{{NAME}}}}", line)


def _opened(tag: str, line: int) -> _Section:
    found = _SECTION.fullmatch(tag)
    if found is None or (found[1] == "^" and found[2]):
        raise MustacheException(f"{{{{{tag}}}}} is not understood; a section is {{{{#if NAME}}}}", line)
    sign, helper, name = found.groups()
    return _Section(_name(name, line), sign == "^" or helper == "unless", helper or name, line)


def _close(open_sections: list[_Section], tag: str, line: int) -> None:
    word = tag[1:].strip()
    if not open_sections:
        raise MustacheException(f"{{{{{tag}}}}} closes nothing", line)
    section = open_sections.pop()
    if not section.closed_by(word):
        what = f"{{{{{tag}}}}} stands where {{{{/{section.opened}}}}} of line {section.line} is expected"
        raise MustacheException(what, line)
