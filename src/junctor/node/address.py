"""What was said about where the main listener of a node is: by options, $PORT, or the program that runs the flow."""

from __future__ import annotations

import os
from collections.abc import Mapping

import msgspec

from junctor.errors import ConfigurationError

HOST = "127.0.0.1"
PORT = 8080
"""Where the main listener is when nobody says anything. Another port will do when this one is taken."""


class Address(msgspec.Struct, frozen=True):
    """A host and a port, None where nothing was said: the ``http`` section of a flow decides then, and at last
    :data:`HOST` and :data:`PORT`. Port 0 takes a free one."""

    host: str | None = None
    port: int | None = None


def parse_address(text: str) -> Address:
    """``host:port``, ``[::1]:8080``, ``:8080`` or ``8080``.

    :raises ConfigurationError: it is none of these.
    """
    host, colon, port = text.rpartition(":")
    if not port.isdigit() or int(port) > 65535 or (":" in host and not host.startswith("[")):
        raise ConfigurationError(f'"{text}" is not an address', where="http", fix="Write for example 127.0.0.1:8080.")
    return Address(host.strip("[]") or None, int(port))


def chosen_address(host: str | None, port: int | None, env: Mapping[str, str] | None = None) -> Address:
    """The address from options and $PORT, as far as they say one.

    :raises ConfigurationError: $PORT is not a port.
    """
    env = os.environ if env is None else env
    text = env.get("PORT", "")
    if port is None and text:
        if not text.isdigit() or int(text) > 65535:
            raise ConfigurationError(f'"{text}" is not a port', where="$PORT", fix="Give a number from 0 to 65535.")
        port = int(text)
    return Address(host or None, port)
