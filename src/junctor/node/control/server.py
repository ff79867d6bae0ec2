"""The control socket of a node: a unix socket in its data directory that answers operations.

Only the user of the node, and root, may connect: the socket lies in a 0700 folder with mode 0600, and the kernel is
asked who the peer is. A peer may hold many questions open at once and may vanish at any moment; a line that is not a
question is answered with an error, and the connection ends there, as nothing behind it can be trusted.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec

from junctor import forks
from junctor.errors import BodyTooLarge, NotRunning, StoreError, UnknownOperation
from junctor.node.control import wire
from junctor.node.directory import claim_socket, release_socket, user_name
from junctor.runtime.supervisor import Supervisor

log = logging.getLogger("junctor.control")

CONNECTIONS = 200
QUESTIONS = 1000
"""Open questions of one connection; further ones are read when some are answered."""

Perform = Callable[[str, dict[str, msgspec.Raw], str], Awaitable[Any]]
"""Does an operation by name and encoded arguments, for somebody of this login name."""

_arguments = msgspec.json.Decoder(dict[str, msgspec.Raw])


class ControlSocket:
    """Serves the operations of one node to its own user."""

    def __init__(self, directory: Path, perform: Perform, supervisor: Supervisor) -> None:
        self._directory = directory
        self._perform = perform
        self._supervisor = supervisor
        self._server: asyncio.Server | None = None
        self._connections: dict[_Connection, asyncio.Task[None] | None] = {}
        self._shut = False
        self.path: Path | None = None
        self._file = -1

    async def open(self) -> None:
        """Listen.

        :raises StoreLocked: a node already listens in this directory.
        :raises StoreError: the socket cannot be made.
        """
        self._shut = False
        self.path = claim_socket(self._directory)
        try:
            listening = _listening(self.path)
            self._server = await asyncio.start_unix_server(self._accept, sock=listening, limit=wire.LINE_LIMIT)
            self._file = listening.fileno()
            forks.close_in_children(self._file)
        except OSError as error:
            release_socket(self._directory)
            raise StoreError(
                f"the control socket cannot be made: {error.strerror or error}", where=str(self.path)
            ) from error

    def shut(self) -> None:
        """Take no new connection; the open ones live on. Idempotent."""
        self._shut = True
        server, self._server = self._server, None
        if server is not None:
            forks.forget(self._file)
            server.close()
            release_socket(self._directory)

    async def hang_up(self, grace: float = 1.0) -> None:
        """Let what is asked finish for ``grace`` seconds, then close the connections: to their peers, the node has
        ended. Idempotent."""
        self.shut()
        for connection in list(self._connections):
            await connection.finish(grace)
        readers = [task for task in self._connections.values() if task is not None]
        if readers:
            await asyncio.wait(readers, timeout=grace)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        uid = peer_uid(writer.get_extra_info("socket"))
        connection = _Connection(reader, writer, self._perform, self._supervisor, uid)
        refused = self._refuse(uid)
        if refused is not None:
            connection.tell(wire.refusal(0, refused))
            writer.close()
            return
        self._connections[connection] = asyncio.current_task()
        try:
            await connection.serve()
        finally:
            del self._connections[connection]

    def _refuse(self, uid: int) -> Exception | None:
        if uid not in (0, os.geteuid()):
            log.warning("user %s was refused at the control socket", uid)
            return wire.NotPermitted("only the user of the node may use its control socket", where=str(self._directory))
        if self._shut:  # It was in the queue of the listener when that closed.
            return NotRunning("the node stops", where="control socket")
        if len(self._connections) >= CONNECTIONS:
            return NotRunning(f"{CONNECTIONS} connections are open already", where="control socket")
        return None


def _listening(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    try:
        with contextlib.suppress(OSError):
            os.fchmod(listener.fileno(), 0o600)  # On Linux bind() takes it over, so that it never was open to others.
        listener.bind(str(path))
        path.chmod(0o600)
        listener.listen(64)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


def peer_uid(connection: Any) -> int:
    """The user at the other end of a unix socket, as the kernel knows it; -1 where the kernel does not tell."""
    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(connection.fileno())) as own:
        if hasattr(socket, "SO_PEERCRED"):
            _, uid, _ = struct.unpack("3i", own.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
            return int(uid)
        _, uid = struct.unpack("2I", own.getsockopt(0, 1, 76)[:8])  # LOCAL_PEERCRED of macOS and the BSDs
        return int(uid)
    return -1


class _Connection:
    """One peer: reads questions, answers each when it is done."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        perform: Perform,
        supervisor: Supervisor,
        uid: int,
    ) -> None:
        self._uid = uid
        self._reader = reader
        self._writer = writer
        self._perform = perform
        self._supervisor = supervisor
        self._room = asyncio.Semaphore(QUESTIONS)
        self._open: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Read until the peer leaves or stops making sense."""
        try:
            while line := await self._line():
                await self._room.acquire()
                self._take(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            self.tell(wire.refusal(0, UnknownOperation(f"this is not a question: {error}", where="control socket")))
        except BodyTooLarge as error:
            self.tell(wire.refusal(0, error))
        except OSError:
            pass  # The peer is gone; what it asked for goes on.
        finally:
            self._writer.close()

    async def _line(self) -> bytes:
        try:
            return await self._reader.readuntil(b"\n")
        except asyncio.IncompleteReadError:
            return b""  # The peer left, perhaps in the middle of a line: half a question is none.
        except asyncio.LimitOverrunError as error:
            raise BodyTooLarge(f"a line may have {wire.LINE_LIMIT} bytes", where="control socket") from error

    def _take(self, line: bytes) -> None:
        question = wire.read_question(line)
        task = self._supervisor.start(f"control {question.operation[:40]}", self._answer(question))
        self._open.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._open.discard(task)
        self._room.release()

    async def _answer(self, question: wire.Question) -> None:
        try:
            arguments = _arguments.decode(question.arguments)
            line = wire.answer(question.id, await self._perform(question.operation, arguments, user_name(self._uid)))
        except Exception as error:  # noqa: BLE001 - whatever it is, the peer is told
            line = wire.refusal(question.id, error)
        except asyncio.CancelledError:
            self.tell(wire.refusal(question.id, NotRunning("the node stops", where=question.operation)))
            raise
        self.tell(line)
        with contextlib.suppress(OSError):
            await self._writer.drain()

    def tell(self, line: bytes) -> None:
        """Write, unless the peer has gone."""
        if not self._writer.is_closing():
            self._writer.write(line)

    async def finish(self, grace: float) -> None:
        """Let open questions be answered for ``grace`` seconds, then hang up."""
        if self._open:
            await asyncio.wait(self._open, timeout=grace)
        self._writer.close()
        if self._open:
            self._writer.transport.abort()
