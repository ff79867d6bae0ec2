"""Which exceptions mean that the other side is away."""

from __future__ import annotations

import errno
import socket
import ssl

_NO_WAY = {errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ETIMEDOUT}


def is_outage(error: Exception) -> bool:
    """Whether it does. A network that is down is an ``OSError`` like a file that is missing; its number tells."""
    if isinstance(error, ConnectionError | TimeoutError | socket.gaierror | ssl.SSLError):
        return True
    return isinstance(error, OSError) and error.errno in _NO_WAY
