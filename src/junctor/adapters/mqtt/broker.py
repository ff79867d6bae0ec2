"""A broker and how one presents oneself there; nothing here needs the client library."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from junctor.adapters.http.trust import trust
from junctor.errors import SettingError

Protocol = Literal["5", "3.1.1"]

PORTS = {"mqtt": 1883, "mqtts": 8883, "ws": 80, "wss": 443}
"""The schemes of addresses, with the ports that they have where none is given."""


@dataclass(frozen=True)
class Address:
    """Where a broker is; ``path`` is the one of a WebSocket, None for plain TCP."""

    host: str
    port: int
    tls: bool = False
    path: str | None = None

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    @classmethod
    def read(cls, url: str, where: str = "url") -> Address:
        """Read ``mqtt://host``, ``mqtts://host:8883``, ``ws://host/path`` or ``wss://host/path``.

        :raises SettingError: it is none of these, or has a user or password in it, which would be shown.
        """
        if "@" in url:
            fix = "Use the settings user and password."
            raise SettingError("an address is shown, and this one has a user in it", where=where, fix=fix)
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise SettingError(f'"{url}" is no address: {error}', where=where, fix=_EXAMPLE) from None
        if parts.scheme not in PORTS or not parts.hostname:
            raise SettingError(f'"{url}" is no address of a broker', where=where, fix=_EXAMPLE)
        web = parts.scheme in ("ws", "wss")
        if (parts.path.strip("/") and not web) or parts.query or parts.fragment:
            raise SettingError(f'"{url}" has something behind the port', where=where, fix="Topics have a setting.")
        path = (parts.path or "/mqtt") if web else None
        return cls(parts.hostname, port or PORTS[parts.scheme], parts.scheme in ("mqtts", "wss"), path)


_EXAMPLE = "Write for example mqtt://broker.example:1883, or mqtts:// for TLS."


@dataclass(frozen=True)
class Trust:
    """The files of TLS. The certificate of the broker is always verified: by the authorities of the machine, or by
    those in ``ca`` alone. ``certificate`` and ``key`` are one's own."""

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def context(self) -> ssl.SSLContext:
        """Reads the files.

        :raises OSError: one cannot be read, or is no certificate.
        """
        context = trust(self.ca, self.certificate, self.key)
        context.sslsocket_class = _Closing
        return context


class _Closing(ssl.SSLSocket):
    """Is closed where TLS cannot be agreed on; the client library leaves that to nobody."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except BaseException:
            self.close()
            raise


@dataclass(frozen=True)
class Will:
    """What the broker publishes when the connection ends without a goodbye."""

    topic: str
    payload: bytes = b""
    qos: int = 0
    retain: bool = False


@dataclass(frozen=True)
class Broker:
    """All that one connection needs to know. Seconds for times.

    ``session``: how long the broker keeps subscriptions and messages after the connection has ended; 0 for not at all.
    MQTT 3.1.1 knows only for ever and not at all. ``receive``: how many messages may arrive that are not acknowledged.
    """

    address: Address
    client_id: str
    trust: Trust = field(default_factory=Trust)
    user: str = ""
    password: str = field(default="", repr=False)
    protocol: Protocol = "5"
    session: float = 0.0
    receive: int = 100
    keepalive: int = 30
    timeout: float = 10.0
    will: Will | None = None
