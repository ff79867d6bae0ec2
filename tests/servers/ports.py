"""Ports that stay free while their server is stopped."""

from __future__ import annotations

import random
import socket
from pathlib import Path

_taken: set[int] = set()


def lasting_port() -> int:
    """A free TCP port of 127.0.0.1 below those that the system gives to clients: of these, any client could get it
    between a stop and a start, and one that keeps connecting to it would one day connect to itself."""
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.SystemRandom().randrange(10_000, first)
        if port not in _taken and _can_bind(port):
            _taken.add(port)
            return port


def _can_bind(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
