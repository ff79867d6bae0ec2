"""A server that answers whatever it is asked, at the least cost. Run as a script; PORT says where."""

from __future__ import annotations

import asyncio
import os
import re
from typing import Any

BODY = b'{"accepted":true}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)
LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)


class Partner(asyncio.Protocol):
    """One connection: an answer for each request, when its body is there."""

    def __init__(self) -> None:
        self._had = b""

    def connection_made(self, transport: Any) -> None:
        self._write = transport.write

    def data_received(self, data: bytes) -> None:
        self._had += data
        while (end := self._had.find(b"\r\n\r\n")) >= 0:
            found = LENGTH.search(self._had, 0, end + 2)
            whole = end + 4 + (int(found[1]) if found is not None else 0)
            if len(self._had) < whole:
                return
            self._had = self._had[whole:]
            self._write(ANSWER)


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Partner, "127.0.0.1", int(os.environ["PORT"]))
    await server.serve_forever()


if __name__ == "__main__":
    import uvloop

    uvloop.run(main())
