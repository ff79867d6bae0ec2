"""Who may talk to a listener that only this machine should reach: browsers are the way in for strangers.

A page from anywhere can make the browser of the machine's owner send requests to 127.0.0.1. Two tricks, two rules:
a name of the stranger's that resolves to 127.0.0.1 (DNS rebinding) shows in the ``Host`` header; a request across sites
shows in ``Sec-Fetch-Site`` or ``Origin``. Programs that are no browsers send neither, and pass.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

import msgspec

from junctor.http.access.cors import Sharing
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


class Page(msgspec.Struct, frozen=True):
    """What a browser says about the page that sends a request: its origin, and how it is related to us."""

    host: str
    origin: str
    site: str

    def is_ours(self) -> bool:
        """Whether the page came from this listener itself."""
        # Browsers that send Sec-Fetch-Site have compared the two themselves; older ones leave that to us.
        if self.site:
            return self.site in ("same-origin", "none")
        return urlsplit_netloc(self.origin) == self.host

    def check(self, method: str, sharing: Sharing | None) -> None:
        """Whether the page may send this.

        :param method: of the request, "WEBSOCKET" for opening one.
        :param sharing: what the flow allows to pages of other origins.
        :raises HttpError: 403.
        """
        if method in _SAFE or self.is_ours() or (sharing is not None and sharing.admits(self.origin, method)):
            return
        raise HttpError(
            "a page of another site may not send this request",
            status=403,
            code="cross-site",
            fix="Call the node from a program, or name the site in `http: {cors: {origins: [...]}}` of the flow.",
        )


class Guard:
    """The rules of one listener.

    :param hosts: names accepted in ``Host``; None accepts every one. A loopback listener accepts loopback names too,
        any other one addresses: a page cannot make its own name an address.
    :param shares: pages of other origins are admitted somewhere on this listener.
    """

    def __init__(self, *, loopback: bool, hosts: tuple[str, ...] | None = None, shares: bool = False) -> None:
        self._check_host = loopback or hosts is not None
        self._loopback = loopback
        self._hosts = frozenset(name.lower().rstrip(".") for name in hosts or ())
        self.shares = shares
        # Hosts seen and accepted: a client sends the same few again and again. Bounded, because clients choose them.
        self._accepted: set[bytes] = set()

    def check(self, method: str, headers: Headers) -> Page | None:
        """None for a request that any program may send; otherwise the page to ask whether it may.

        :raises HttpError: 421 for a foreign ``Host``, 400 for two of ``Host``.
        """
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
        if (origin or site) and ((self.shares and origin) or method not in _SAFE):
            return Page(_text(host or b""), _text(origin).rstrip("/"), _text(site))
        return None

    def _check(self, host: bytes | None) -> None:
        name = _name_of(host or b"").rstrip(".")
        if not (name in self._hosts or is_loopback(name) or (not self._loopback and _is_address(name))):
            shown = ascii((host or b"").decode("latin-1"))
            whom = "names of this machine" if self._loopback else "names that it knows"
            raise HttpError(
                f"this node answers only to {whom}, not to {shown}",
                status=421,
                code="host",
                fix="Use http://localhost or http://127.0.0.1, or name the host in `http: {hosts: [...]}` of the flow.",
            )
        if host is not None and len(self._accepted) < 100:
            self._accepted.add(host)


def _text(value: bytes) -> str:
    return value.decode("latin-1").lower()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


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
