"""Paths of routes as the bottle package writes them: ``/item/<id>``, ``/page/<number:int>``, ``/files/<name:path>``."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from junctor.dialects.pip_services.commons.errors import ConfigException

_FIELD = re.compile(r"<([A-Za-z_]\w*)?(?::([a-z]+)(?::((?:\\.|[^\\>])+))?)?>|:([A-Za-z_]\w*)")
_FILTERS: dict[str, tuple[str, Callable[[str], Any] | None]] = {
    "": (r"[^/]+", None),
    "int": (r"-?\d+", int),
    "float": (r"-?[\d.]+", float),
    "path": (r".+?", None),
}
_TYPES: dict[Any, type] = {int: int, float: float}


class Pattern:
    """The path of a route.

    :param route: ``<name>``, ``<name:int>``, ``<name:float>``, ``<name:path>`` and ``<name:re:...>`` stand for values,
        ``:name`` is an older way to write the first.
    :raises ConfigException: an unknown kind of value, a regular expression that is none, or a name given twice.
    """

    def __init__(self, route: str) -> None:
        self.route = route
        self._converters: dict[str, Callable[[str], Any]] = {}
        self.names: tuple[str, ...] = ()
        text, at = "", 0
        for field in _FIELD.finditer(route):
            text += re.escape(route[at : field.start()]) + self._group(field)
            at = field.end()
        self.fixed = at == 0
        self._regex = self._compiled(text + re.escape(route[at:]))

    @property
    def braced(self) -> str:
        """The path with its values in braces, as OpenAPI writes them."""
        return _FIELD.sub(lambda field: f"{{{field[1] or field[4] or 'value'}}}", self.route)

    @property
    def values(self) -> tuple[tuple[str, type], ...]:
        """The values by name, with their types."""
        return tuple((name, _TYPES.get(self._converters.get(name), str)) for name in self.names)

    def match(self, path: str) -> dict[str, Any] | None:
        """The values by name, or None: it is another path."""
        found = self._regex.fullmatch(path)
        if found is None:
            return None
        values: dict[str, Any] = found.groupdict()
        try:
            for name, convert in self._converters.items():
                values[name] = convert(values[name])
        except ValueError:
            return None
        return values

    @staticmethod
    def expression(text: str) -> re.Pattern[str]:
        """A regular expression of a program.

        :raises ConfigException: it is none.
        """
        try:
            return re.compile(text)
        except re.error as error:
            text = f"{text} is no regular expression: {error}"
            raise ConfigException(None, "BAD_ROUTE", text) from error

    def _group(self, field: re.Match[str]) -> str:
        name, kind, expression = field[1] or field[4] or "", field[2] or "", field[3]
        if kind == "re":
            pattern, convert = expression or _FILTERS[""][0], None
        elif kind in _FILTERS:
            pattern, convert = _FILTERS[kind]
        else:
            raise self._unreadable(f"{kind!r} is no kind of value; use int, float, path or re")
        if not name:
            return f"(?:{pattern})"
        if name in self.names:
            raise self._unreadable(f"<{name}> is there twice")
        self.names = (*self.names, name)
        if convert is not None:
            self._converters[name] = convert
        return f"(?P<{name}>{pattern})"

    def _compiled(self, text: str) -> re.Pattern[str]:
        try:
            return re.compile(text)
        except re.error as error:
            raise self._unreadable(str(error)) from error

    def _unreadable(self, why: str) -> ConfigException:
        return ConfigException(None, "BAD_ROUTE", f"Route {self.route} cannot be read: {why}")
