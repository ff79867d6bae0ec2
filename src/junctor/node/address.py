"""Where the listener of a node listens."""

from __future__ import annotations

import os
from collections.abc import Mapping

import msgspec

from junctor.errors import ConfigurationError

HOST = "127.0.0.1"
PORT = 8080


class Address(msgspec.Struct, frozen=True):
    """A host and a port; port 0 takes a free one. ``flexible``: nobody asked for this port, another will do."""

    host: str = HOST
    port: int = PORT
    flexible: bool = False


def parse_address(text: str) -> Address:
    """``host:port``, ``[::1]:8080``, ``:8080`` or ``8080``.

    :raises ConfigurationError: it is none of these.
    """
    host, colon, port = text.rpartition(":")
    if not port.isdigit() or int(port) > 65535 or (":" in host and not host.startswith("[")):
        raise ConfigurationError(f'"{text}" is not an address', where="http", fix="Write for example 127.0.0.1:8080.")
    return Address(host.strip("[]") or HOST, int(port))


def chosen_address(host: str | None, port: int | None, env: Mapping[str, str] | None = None) -> Address:
    """The address from options and $PORT; 127.0.0.1 and 8080, or a free port, where nothing is said.

    :raises ConfigurationError: $PORT is not a port.
    """
    env = os.environ if env is None else env
    text = env.get("PORT", "")
    if port is None and text:
        if not text.isdigit() or int(text) > 65535:
            raise ConfigurationError(f'"{text}" is not a port', where="$PORT", fix="Give a number from 0 to 65535.")
        port = int(text)
    return Address(host or HOST, PORT if port is None else port, flexible=port is None)
