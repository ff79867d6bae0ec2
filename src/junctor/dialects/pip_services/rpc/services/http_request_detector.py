"""What the headers of a request say about who asks, and by which name the server was called."""

from __future__ import annotations

from typing import Any

from junctor.http import Request

_PLATFORMS = (
    ("windows phone", "windows phone"),
    ("windows", "windows"),
    ("android", "mobile"),
    ("iphone", "mobile"),
    ("ipad", "mobile"),
    ("mac os", "mac"),
    ("linux", "linux"),
)
# The order counts: each of them claims to be some of those behind it.
_BROWSERS = (
    ("edg", "edge"),
    ("opr/", "opera"),
    ("chrome", "chrome"),
    ("firefox", "firefox"),
    ("msie", "msie"),
    ("trident", "msie"),
    ("safari", "safari"),
)


class HttpRequestDetector:
    """Takes a request of this system, or one of the bottle package."""

    @staticmethod
    def detect_platform(req: Any) -> str:
        return _first(_PLATFORMS, _header(req, "user-agent"))

    @staticmethod
    def detect_browser(req: Any) -> str:
        return _first(_BROWSERS, _header(req, "user-agent"))

    @staticmethod
    def detect_address(req: Any) -> str | None:
        """Where the request came from: what a proxy has said of it first, else the other end of the connection. Anybody
        can write that header, so nothing may be allowed because of it."""
        forwarded = _header(req, "x-forwarded-for").partition(",")[0].strip()
        if forwarded:
            return forwarded
        if isinstance(req, Request):
            return req.client[0] if req.client is not None else None
        found: str | None = getattr(req, "remote_addr", None)
        return found

    @staticmethod
    def detect_server_host(req: Any) -> str:
        return _split(_header(req, "host"))[0]

    @staticmethod
    def detect_server_port(req: Any) -> str:
        """80 or 443 where the client has not said it."""
        https = (req.scheme if isinstance(req, Request) else req.urlparts.scheme) == "https"
        return _split(_header(req, "host"))[1] or ("443" if https else "80")


def _header(req: Any, name: str) -> str:
    if isinstance(req, Request):
        return req.header(name)
    return str(req.get_header(name) or "")


def _split(host: str) -> tuple[str, str]:
    name, colon, port = host.rpartition(":")
    return (name, port) if colon and port.isdigit() else (host, "")


def _first(known: tuple[tuple[str, str], ...], agent: str) -> str:
    agent = agent.lower()
    return next((name for sign, name in known if sign in agent), "unknown")
