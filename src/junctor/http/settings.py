"""What the ``http:`` section of a flow says: where it listens, below which path, and who may talk to it.

Listeners belong to the node. A flow that names no listener and no address joins the main one; flows that name the same
listener share it.
"""

from __future__ import annotations

import msgspec

from junctor.http.limits import Limits

KIB = 1024


class Tls(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Certificate chain and key, as PEM files. ``clients`` is an authority whose certificates clients must show."""

    certificate: str
    key: str
    clients: str | None = None


class ApiKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A caller that is known by a secret in ``Authorization: Bearer`` or ``X-API-Key``.

    ``secret`` is the key itself, as a reference (``${NAME}`` or a secret) or as ``sha256:HEX`` of it. ``paths`` are the
    prefixes that it opens.
    """

    name: str
    secret: str
    paths: tuple[str, ...] = ("/",)


class Cors(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Pages of other origins that may call: ``https://app.example.org``, or ``*`` for reading without credentials."""

    origins: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    credentials: bool = False
    max_age: float = 600.0


class Admin(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A listener of its own for health, metrics, documentation and ``/-/``; the main one has none of them then."""

    host: str = "127.0.0.1"
    port: int = 8081


class HttpSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The ``http:`` section. ``host`` and ``port`` None: where the node listens anyway.

    ``listener`` is the name of the listener; ``path`` the prefix of all routes and actions of the flow. ``hosts`` are
    names accepted in ``Host`` beside those of this machine. ``body`` bounds a request's body, ``upload`` a body with
    files, ``depth`` the nesting of JSON.
    """

    listener: str = "main"
    host: str | None = None
    port: int | None = None
    path: str = ""
    hosts: tuple[str, ...] = ()
    cors: Cors | None = None
    keys: tuple[ApiKey, ...] = ()
    tls: Tls | None = None
    admin: Admin | None = None
    body: int = 1024 * KIB
    upload: int = 64 * 1024 * KIB
    depth: int = 100
    docs: bool = True
    limits: Limits = Limits()
