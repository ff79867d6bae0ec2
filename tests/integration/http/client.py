"""A tiny client on bare sockets: it can send what no library would."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

import msgspec


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)

    @property
    def code(self) -> str:
        """The stable word of a problem."""
        assert self.headers["content-type"] == "application/problem+json", self
        problem = self.json
        assert problem["status"] == self.status and problem["detail"] and problem["fix"] and problem["title"]
        assert "Traceback" not in self.body.decode()
        return str(problem["code"])


async def read_answer(reader: asyncio.StreamReader, *, head_only: bool = False) -> Answer:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")[:-2]
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    status = int(first.split()[1])
    length = 0 if head_only or status in (204, 304) else int(headers["content-length"])
    return Answer(status, headers, await reader.readexactly(length))


async def raw(port: int, data: bytes, *, head_only: bool = False, until: float = 10) -> Answer:
    """Send these bytes over a new connection and read one answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(data)
        async with asyncio.timeout(until):
            return await read_answer(reader, head_only=head_only)
    finally:
        writer.close()


async def call(
    port: int, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> Answer:
    """One request, one connection. A body is JSON unless a header says otherwise."""
    given = {"host": f"127.0.0.1:{port}", "connection": "close"}
    if body is not None:
        given |= {"content-length": str(len(body)), "content-type": "application/json"}
    given |= headers or {}
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items() if value != "")
    data = f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode("latin-1") + (body or b"")
    return await raw(port, data, head_only=method == "HEAD")
