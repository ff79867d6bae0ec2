"""Who may talk to a listener that only this machine should reach: browsers are the way in for strangers.

A page from anywhere can make the browser of the machine's owner send requests to 127.0.0.1. Two tricks, two rules:
a name of the stranger's that resolves to 127.0.0.1 (DNS rebinding) shows in the ``Host`` header; a request across sites
shows in ``Sec-Fetch-Site`` or ``Origin``. Programs that are no browsers send neither, and pass.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from junctor.http.asgi import Headers
from junctor.http.problem import HttpError

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_LOOPBACK_NAMES = ("localhost",)


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine only. ``host`` without a port; brackets of IPv6 are allowed."""
    name = host.strip("[]").lower().rstrip(".")
    if name in _LOOPBACK_NAMES or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


class Guard:
    """The rules of one listener.

    :param hosts: names accepted in ``Host``; None accepts every one. A loopback listener accepts loopback names too.
    :param origins: origins (``https://example.org``) whose pages may send requests that change something.
    """

    def __init__(self, *, loopback: bool, hosts: tuple[str, ...] | None = None, origins: tuple[str, ...] = ()) -> None:
        self._check_host = loopback or hosts is not None
        self._loopback = loopback
        self._hosts = frozenset(name.lower() for name in hosts or ())
        self._origins = frozenset(origin.rstrip("/").lower() for origin in origins)
        # Hosts seen and accepted: a client sends the same few again and again. Bounded, because clients choose them.
        self._accepted: set[bytes] = set()

    def check(self, method: str, headers: Headers) -> None:
        """:raises HttpError: 421 for a foreign ``Host``, 403 for a request across sites, 400 for two of ``Host``."""
        host: bytes | None = None
        origin = site = b""
        for name, value in headers:
            if name == b"host":
                if host is not None:
                    raise HttpError("the request has two Host headers", code="host")
                host = value
            elif name == b"origin":
                origin = value
            elif name == b"sec-fetch-site":
                site = value
        if self._check_host and host not in self._accepted:
            self._check(host)
        if (origin or site) and method not in _SAFE:
            self._check_site(host or b"", origin, site)

    def _check(self, host: bytes | None) -> None:
        name = _name_of(host or b"")
        if not (name in self._hosts or (self._loopback and is_loopback(name))):
            shown = ascii((host or b"").decode("latin-1"))
            raise HttpError(
                f"this node answers only to names of this machine, not to {shown}",
                status=421,
                code="host",
                fix="Use http://localhost or http://127.0.0.1, or name the host in `http: {hosts: [...]}` of the flow.",
            )
        if host is not None and len(self._accepted) < 100:
            self._accepted.add(host)

    def _check_site(self, host: bytes, origin: bytes, site: bytes) -> None:
        given = origin.decode("latin-1").rstrip("/").lower()
        if given in self._origins:
            return
        # Browsers that send Sec-Fetch-Site have compared the two themselves; older ones leave that to us.
        same = site in (b"same-origin", b"none") if site else urlsplit_netloc(given) == host.decode("latin-1").lower()
        if not same:
            raise HttpError(
                "a page of another site may not send this request",
                status=403,
                code="cross-site",
                fix="Call the node from a program, or name the site in `http: {origins: [...]}` of the flow.",
            )


def urlsplit_netloc(origin: str) -> str:
    """Host and port of an origin; an opaque one (``null``) has none."""
    try:
        return urlsplit(origin).netloc or "\0"
    except ValueError:
        return "\0"


_HOST = re.compile(rb"(\[[0-9a-f:.]+(?:%25[\w.~-]+)?\]|[^\s\[\]:@/?#,\\]+)(?::[0-9]{0,5})?", re.IGNORECASE)
"""A name or an address, and a port. Nothing else: what different readers could take for different names is refused."""


def _name_of(host: bytes) -> str:
    """The name without the port; empty for what is no host."""
    found = _HOST.fullmatch(host)
    return found[1].decode("latin-1").lower() if found is not None else ""
