"""URLs with values of messages in them. A value stays where it was put: it is no other path, query or host."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

from junctor.core.expressions import Template, Variables
from junctor.core.expressions.template import as_text
from junctor.core.outcome import Park
from junctor.errors import ExpressionFailed, SettingError

_ORIGIN = re.compile(r"(https?://[^/?#@\\\s]+)(?=[/?#]|$)", re.IGNORECASE)
_WRITTEN = "/:?[]@!$&'()*+,;=%~-._"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_EXAMPLE = "Write for example https://crm.example/customers/{body.customer}."


class Url:
    """A URL made for each message. ``origin`` is where it always leads: scheme, host and port.

    :raises SettingError: it is none, or its host depends on messages.
    """

    __slots__ = ("_fixed", "_parts", "origin")

    def __init__(self, template: Template, where: str = "url") -> None:
        first, *rest = template.parts or ("",)
        found = _ORIGIN.match(first) if isinstance(first, str) else None
        if found is None or (found.end() == len(first) and rest):  # type: ignore[arg-type]
            raise _wrong(template.text, where)
        self.origin = found[1]
        _check_origin(self.origin, template.text, where)
        parts = (first[found.end() :], *rest)  # type: ignore[index]
        if any("#" in part for part in parts if isinstance(part, str)):
            raise SettingError("what follows # is not sent", where=where, fix="Leave it out, or write %23.")
        self._fixed = ""
        self._parts = tuple(quote(part, safe=_WRITTEN) if isinstance(part, str) else part for part in parts)
        self._fixed = "" if rest else self.fill(Variables({}))

    def fill(self, variables: Variables) -> str:
        """The URL for a message.

        :raises ExpressionFailed: a placeholder cannot be evaluated, or is null.
        :raises Park: a value cannot stand in a URL at its place.
        """
        if self._fixed:
            return self._fixed
        made, in_query = "", False
        for part in self._parts:
            if isinstance(part, str):
                made += part
                in_query = in_query or "?" in part
            else:
                made += _quoted(part.text, part.value(variables), in_query)
        return self._whole(made)

    def _whole(self, rest: str) -> str:
        path = rest.partition("?")[0]
        if any(step in (".", "..") for step in path.split("/")):
            raise Park(f"the path {path[:200]!r} would lead elsewhere")
        return f"{self.origin}{rest if path else '/' + rest}"


def with_query(url: str, query: dict[str, str]) -> str:
    """The URL with more in its query."""
    if not query:
        return url
    more = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in query.items())
    return f"{url}{'&' if '?' in url else '?'}{more}"


def without_query(url: str) -> str:
    """What can be shown of it: who has a token in a URL has it behind the question mark."""
    return url.partition("?")[0]


def _quoted(placeholder: str, value: object, in_query: bool) -> str:
    if value is None:
        raise ExpressionFailed(f"the placeholder `{{{placeholder}}}` is null")
    text = as_text(value)
    if _CONTROL.search(text):
        raise Park(f"`{{{placeholder}}}` is {text[:100]!r}, and a URL has no control characters")
    if not text and not in_query:  # /customers/ is often all of them
        raise Park(f"`{{{placeholder}}}` is empty, and the path would be another one")
    return quote(text, safe="")


def _check_origin(origin: str, url: str, where: str) -> None:
    if not origin.isascii():
        raise SettingError(f'"{origin}" is not ASCII', where=where, fix="Write the host as DNS has it: xn--....")
    try:
        parts = urlsplit(origin)
        known = bool(parts.hostname) and parts.port != 0
    except ValueError:
        known = False
    if not known:
        raise _wrong(url, where)


def _wrong(url: str, where: str) -> SettingError:
    if "@" in url.partition("://")[2].partition("/")[0]:
        return SettingError("there is a user in the URL", where=where, fix="Use the settings user and password.")
    if re.match(r"\s*(\{|https?://[^/?#]*\{)", url, re.IGNORECASE):
        what = "a message would choose the host that is called"
        return SettingError(what, where=where, fix="Write scheme and host; what differs comes behind.")
    return SettingError(f'"{url}" is no URL', where=where, fix=_EXAMPLE)
