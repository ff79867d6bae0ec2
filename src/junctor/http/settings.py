"""What the ``http:`` section of a flow says: where it listens, below which path, and who may talk to it.

Listeners belong to the node. A flow that names no listener and no address joins the main one; flows that name the same
listener share it. ``path``, ``keys``, ``cors``, ``body``, ``upload`` and ``depth`` are of the flow: they hold for its
own routes, actions and WebSockets. ``host``, ``port``, ``tls``, ``hosts``, ``limits`` and ``admin`` are of the
listener: flows that share one must not contradict each other.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from junctor.http.listening.limits import Count, Limits
from junctor.settings import Bounds

KIB = 1024

PREFIX = r"(/[A-Za-z0-9._~-]+)+"
LISTENER = r"[a-z][a-z0-9_-]*"

Port = Annotated[int, Bounds(ge=0, le=65535)]
Name = Annotated[str, Bounds(min_length=1)]
Path = Annotated[str, Bounds(pattern=r"/.*")]
Host = Annotated[str, Bounds(pattern=r"[^/:*@ ]+")]


class Tls(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Serve HTTPS. ``certificate`` and ``key`` are PEM files, the certificate with its chain.

    ``clients`` is a PEM file with the authorities whose certificates clients must show; without it none is asked for.
    """

    certificate: Name
    key: Name
    clients: Name | None = None


class ApiKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A caller that is known by a secret in ``Authorization: Bearer`` or ``X-API-Key``.

    ``name`` is what handlers (``self.caller``) and the trace call it. ``secret`` is the key itself, as a reference
    (``${NAME}`` or a secret) and at least 16 characters long, or ``sha256:HEX`` of it. ``paths`` are the prefixes that
    it opens.
    """

    name: Name
    secret: str
    paths: tuple[Path, ...] = ("/",)

    def __repr__(self) -> str:
        return f"ApiKey(name={self.name!r}, secret='***', paths={self.paths!r})"


class Cors(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Pages of other origins that may call.

    ``origins`` are ``https://app.example.org``, or ``*`` for reading (GET) from everywhere without credentials.
    ``headers`` are those a page may send beside the ones every page may; ``expose`` those of answers that it may read.
    ``credentials`` lets cookies and client certificates come along. ``max_age``, in seconds, is how long a browser may
    remember the permission.
    """

    origins: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    expose: tuple[str, ...] = ()
    credentials: bool = False
    max_age: Annotated[float, Bounds(ge=0)] = 600.0


class Admin(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A listener of its own for health, metrics, documentation and ``/-/``; the others have none of them then.

    ``hosts``, ``keys`` and ``tls`` as in the section itself, for this listener alone.
    """

    host: Name = "127.0.0.1"
    port: Port = 8081
    hosts: tuple[Host, ...] = ()
    keys: tuple[ApiKey, ...] = ()
    tls: Tls | None = None


class HttpSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The ``http:`` section. ``host`` and ``port`` None: where the node listens anyway.

    ``listener`` is the name of the listener; ``path`` the prefix of all routes, actions and WebSockets of the flow.
    ``hosts`` are names accepted in ``Host`` beside those of this machine. ``body`` bounds a request's body, ``upload``
    a body with files, both in bytes; ``depth`` the nesting of JSON. ``docs`` False leaves the flow's
    routes out of the documentation; True has it on the listener of the routes also where an ``admin`` listener has it.
    """

    listener: Annotated[str, Bounds(pattern=LISTENER)] = "main"
    host: Name | None = None
    port: Port | None = None
    path: Annotated[str, Bounds(pattern=f"({PREFIX})?")] = ""
    hosts: tuple[Host, ...] = ()
    cors: Cors | None = None
    keys: tuple[ApiKey, ...] = ()
    tls: Tls | None = None
    admin: Admin | None = None
    body: Count = 1024 * KIB
    upload: Count = 64 * 1024 * KIB
    depth: Count = 100
    docs: bool | None = None
    limits: Limits = Limits()
