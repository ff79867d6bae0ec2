"""Whether the ``http`` section of a flow makes sense by itself. What several of them say together, the node checks."""

from __future__ import annotations

import functools
import hashlib
import re
import typing
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

import msgspec

from junctor.errors import ConfigurationError, SeveralProblems
from junctor.http.settings import LISTENER, PREFIX, ApiKey, Cors, HttpSettings
from junctor.settings import Bounds, bounded
from junctor.settings.conversion import without_none

SHORTEST = 16
"""Characters of the shortest API key: what is shorter can be guessed."""

DIGEST = re.compile(r"sha256:[0-9a-fA-F]{64}")
_NOTHING = frozenset(f"sha256:{hashlib.sha256(text).hexdigest()}" for text in (b"", b"\n"))
_PREFIX = re.compile(PREFIX)
_LISTENER = re.compile(LISTENER)


def check_section(flow: str, section: HttpSettings) -> None:
    """:raises ConfigurationError: with the field, the flow and the fix; several problems come together."""
    problems = list(section_problems(flow, section))
    if problems:
        raise SeveralProblems.of(problems, f"flow {flow}")


def section_problems(flow: str, section: HttpSettings) -> Iterator[ConfigurationError]:
    """All that is wrong with a section by itself. ``where`` of each is ``http.keys[0].secret of flow plant``."""
    where = f"of flow {flow}"
    yield from _outside(section, "http", where)
    if section.path and not _PREFIX.fullmatch(section.path):
        yield ConfigurationError(
            f'"{section.path}" is not a prefix', where=f"http.path {where}", fix="Write for example /plant."
        )
    if not _LISTENER.fullmatch(section.listener) or section.listener == "admin":
        yield ConfigurationError(
            f'"{section.listener}" is not a name of a listener',
            where=f"http.listener {where}",
            fix="Use small letters, digits and dashes, beginning with a letter; admin is taken: `admin: {port: 8081}`.",
        )
    yield from _wrong_hosts(section.hosts, "http.hosts", where)
    if section.admin is not None:
        yield from _wrong_hosts(section.admin.hosts, "http.admin.hosts", where)
        yield from _wrong_keys(section.admin.keys, "http.admin.keys", where)
    yield from _wrong_keys(section.keys, "http.keys", where)
    if section.cors is not None:
        yield from _wrong_cors(section.cors, "http.cors", where)


@functools.cache
def _bounds_of(kind: type[msgspec.Struct]) -> dict[str, Bounds]:
    """The bounds of numbers and of texts that must not be empty, by the names of the fields. What follows a pattern is
    looked at by itself, to be told in words."""
    hints = typing.get_type_hints(kind, include_extras=True)
    found = {name: bounded(without_none(hint)[1])[1] for name, hint in hints.items()}
    return {name: bounds for name, bounds in found.items() if bounds is not None and bounds.pattern is None}


def _outside(part: Any, path: str, where: str) -> Iterator[ConfigurationError]:
    """What is out of bounds in an object and in those it holds."""
    if isinstance(part, tuple):
        for number, one in enumerate(part):
            yield from _outside(one, f"{path}[{number}]", where)
    if not isinstance(part, msgspec.Struct):
        return
    bounds = _bounds_of(type(part))
    for name in part.__struct_fields__:
        value, bound = getattr(part, name), bounds.get(name)
        if bound is None or value is None:
            yield from _outside(value, f"{path}.{name}", where)
        elif bound.min_length is not None:
            if not value:
                yield ConfigurationError(
                    f"{name} is empty", where=f"{path}.{name} {where}", fix="Write it, or leave it out."
                )
        elif (wrong := bound.problem(value)) is not None:
            yield ConfigurationError(f"{value} {wrong}", where=f"{path}.{name} {where}", fix=bound.fix(value, ""))


def _wrong_hosts(hosts: Iterable[str], path: str, where: str) -> Iterator[ConfigurationError]:
    for number, name in enumerate(hosts):
        if not name or any(character in name for character in "/:*@ "):
            yield ConfigurationError(
                f'"{name}" is not the name of a host',
                where=f"{path}[{number}] {where}",
                fix="Write for example plant.example.org.",
            )


def _wrong_keys(keys: tuple[ApiKey, ...], path: str, where: str) -> Iterator[ConfigurationError]:
    names: set[str] = set()
    for number, key in enumerate(keys):
        own = f"{path}[{number}]"
        if key.name in names:
            fix = "Give each caller a name of its own."
            yield ConfigurationError(f'two keys are called "{key.name}"', where=f"{own}.name {where}", fix=fix)
        names.add(key.name)
        if key.secret.startswith("sha256:") and not DIGEST.fullmatch(key.secret):
            yield ConfigurationError(
                f"the secret of {key.name} is not sha256: and 64 hexadecimal digits",
                where=f"{own}.secret {where}",
                fix="Make it with: printf %s KEY | sha256sum",
            )
        elif key.secret.lower() in _NOTHING:
            yield ConfigurationError(
                f"the secret of {key.name} is the digest of an empty text",
                where=f"{own}.secret {where}",
                fix='Look whether the variable is set: printf %s "$KEY" | sha256sum',
            )
        elif len(key.secret) < SHORTEST:
            yield ConfigurationError(
                f"the secret of {key.name} has fewer than {SHORTEST} characters",
                where=f"{own}.secret {where}",
                fix="Make one with: python -c 'import secrets; print(secrets.token_urlsafe(24))'",
            )
        for place, opened in enumerate(key.paths):
            if not opened.startswith("/"):
                what = f'"{opened}" of {key.name} is not a path'
                yield ConfigurationError(what, where=f"{own}.paths[{place}] {where}", fix="Begin it with /.")


def _wrong_cors(cors: Cors, path: str, where: str) -> Iterator[ConfigurationError]:
    if "*" in cors.origins and cors.credentials:
        yield ConfigurationError(
            "credentials cannot be open to every origin",
            where=f"{path}.credentials {where}",
            fix="Name the origins, for example https://app.example.org, or leave credentials out.",
        )
    for number, origin in enumerate(cors.origins):
        if origin != "*" and not _is_origin(origin):
            yield ConfigurationError(
                f'"{origin}" is not an origin',
                where=f"{path}.origins[{number}] {where}",
                fix="Write for example https://app.example.org.",
            )


def _is_origin(origin: str) -> bool:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    known = parts.scheme in ("http", "https") and bool(parts.hostname) and origin.isascii()
    return known and parts.path in ("", "/") and not parts.query and not parts.fragment and parts.username is None
