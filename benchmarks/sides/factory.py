"""An action of Service Factory over HTTP; beside it the server that the original uses, with the same dispatch.

That server closes the connection behind each answer, so its clients connect anew for each request, as ``perform`` of
the original does. Ours are kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any

from benchmarks.http_load import take
from benchmarks.load import Load, rate, run
from benchmarks.sides.http_get import served

BODY = b'{"n": 12}'
REQUEST = (
    b"POST /action HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    + b"Content-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
)


async def _once(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(REQUEST)
    await reader.readuntil(b"\r\n\r\n")
    body = await reader.readexactly(len(BODY))
    writer.close()
    if body != BODY:
        raise RuntimeError(body.decode("latin-1"))


def werkzeug(params: Mapping[str, Any]) -> dict[str, float]:
    with served("factory_werkzeug.py", str(params["folder"]), b"/action") as (port, _):
        return {"rate": run(rate(partial(_once, port), Load(**params["load"])))}


def junctor(params: Mapping[str, Any]) -> dict[str, float]:
    with served("factory_service.py", str(params["folder"]), b"/action") as (port, _):
        return {"rate": take(port, REQUEST, BODY, Load(**params["load"])).rate}
