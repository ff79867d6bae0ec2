"""What one client of a listener may take."""

from __future__ import annotations

from typing import Annotated

import msgspec

from junctor.settings import Bounds

KIB = 1024
Count = Annotated[int, Bounds(ge=1)]
Seconds = Annotated[float, Bounds(gt=0)]


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one client may take. Sizes in bytes, times in seconds.

    ``head`` bounds request line and headers together, ``headers`` their number. A request must be complete ``receive``
    seconds after it began, plus one second for every ``pace`` bytes received; a TLS handshake too. A client that takes
    none of its answer for ``send`` seconds is dropped. An idle connection is closed after ``keep_alive`` seconds.
    ``connections`` counts all clients of the listener.

    ``sockets`` bounds the WebSockets among them, ``message`` the size of what one of them sends. ``ping`` is the pause
    between two pings; a client that does not answer one within it is dropped.
    """

    head: Count = 64 * KIB
    headers: Count = 100
    receive: Seconds = 20.0
    pace: Count = 1 * KIB
    send: Seconds = 60.0
    keep_alive: Seconds = 75.0
    connections: Count = 1000
    sockets: Count = 500
    message: Count = 1024 * KIB
    ping: Seconds = 20.0
