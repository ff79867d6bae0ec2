"""Whether the ``http`` section of a flow makes sense by itself. What several of them say together, the node checks."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from junctor.errors import ConfigurationError
from junctor.http.settings import ApiKey, Cors, HttpSettings

SHORTEST = 16
"""Characters of the shortest API key: what is shorter can be guessed."""

DIGEST = re.compile(r"sha256:[0-9a-fA-F]{64}")
_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)+")
_LISTENER = re.compile(r"[a-z][a-z0-9_-]*")


def check_section(flow: str, section: HttpSettings) -> None:
    """:raises ConfigurationError: with the field, the flow and the fix."""
    where = f"of flow {flow}"
    if section.path and not _PREFIX.fullmatch(section.path):
        raise ConfigurationError(
            f'"{section.path}" is not a prefix', where=f"http.path {where}", fix="Write for example /plant."
        )
    if not _LISTENER.fullmatch(section.listener) or section.listener == "admin":
        raise ConfigurationError(
            f'"{section.listener}" is not a name of a listener',
            where=f"http.listener {where}",
            fix="Use small letters, digits and dashes, beginning with a letter; admin is taken: `admin: {port: 8081}`.",
        )
    for name in ("body", "upload", "depth"):
        if getattr(section, name) < 1:
            raise ConfigurationError(f"{name} must be at least 1", where=f"http.{name} {where}")
    for name in section.limits.__struct_fields__:
        if getattr(section.limits, name) <= 0:
            raise ConfigurationError(f"{name} must be more than 0", where=f"http.limits.{name} {where}")
    check_hosts(section.hosts, f"http.hosts {where}")
    if section.admin is not None:
        check_hosts(section.admin.hosts, f"http.admin.hosts {where}")
        check_keys(section.admin.keys, f"http.admin.keys {where}")
    check_keys(section.keys, f"http.keys {where}")
    if section.cors is not None:
        _check_cors(section.cors, f"http.cors {where}")


def check_hosts(hosts: Iterable[str], where: str) -> None:
    for name in hosts:
        if not name or any(character in name for character in "/:*@ "):
            raise ConfigurationError(
                f'"{name}" is not the name of a host', where=where, fix="Write for example plant.example.org."
            )


def check_keys(keys: tuple[ApiKey, ...], where: str) -> None:
    names = [key.name for key in keys]
    for key in keys:
        if names.count(key.name) > 1 or not key.name:
            raise ConfigurationError(
                f'two keys are called "{key.name}"' if key.name else "a key has no name",
                where=where,
                fix="Give each caller a name of its own.",
            )
        if not key.secret or (not DIGEST.fullmatch(key.secret) and len(key.secret) < SHORTEST):
            raise ConfigurationError(
                f"the secret of {key.name} has fewer than {SHORTEST} characters",
                where=where,
                fix="Make one with: python -c 'import secrets; print(secrets.token_urlsafe(24))'",
            )
        if key.secret.startswith("sha256:") and not DIGEST.fullmatch(key.secret):
            raise ConfigurationError(
                f"the secret of {key.name} is not sha256: and 64 hexadecimal digits",
                where=where,
                fix="Make it with: printf %s KEY | sha256sum",
            )
        for path in key.paths:
            if not path.startswith("/"):
                raise ConfigurationError(f'"{path}" of {key.name} is not a path', where=where, fix="Begin it with /.")


def _check_cors(cors: Cors, where: str) -> None:
    if "*" in cors.origins and cors.credentials:
        raise ConfigurationError(
            "credentials cannot be open to every origin",
            where=where,
            fix="Name the origins, for example https://app.example.org, or leave credentials out.",
        )
    for origin in cors.origins:
        if origin != "*" and not _is_origin(origin):
            raise ConfigurationError(
                f'"{origin}" is not an origin', where=where, fix="Write for example https://app.example.org."
            )


def _is_origin(origin: str) -> bool:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    known = parts.scheme in ("http", "https") and bool(parts.hostname) and origin.isascii()
    return known and parts.path in ("", "/") and not parts.query and not parts.fragment and parts.username is None
