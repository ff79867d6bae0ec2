"""What one client of a listener may take."""

from __future__ import annotations

import msgspec

KIB = 1024


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one client may take. Sizes in bytes, times in seconds.

    ``head`` bounds request line and headers together, ``headers`` their number. A request must be complete ``receive``
    seconds after it began, plus one second for every ``pace`` bytes received; a client that takes none of its answer
    for ``send`` seconds is dropped. ``connections`` counts all clients of the listener.
    """

    head: int = 64 * KIB
    headers: int = 100
    receive: float = 20.0
    pace: int = 1 * KIB
    send: float = 60.0
    keep_alive: int = 75
    connections: int = 1000
