"""``junctor.connect``: talk to a running node from another program, in blocking or in async code.

::

    with junctor.connect("machine-monitor") as node:
        node.send("alarm", Reading("cpu", 93.0))

    async with junctor.connect() as node:
        receipt = await node.request("crm", {"email": "a@b.c"}, type="CreateAccount")
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar, cast

import msgspec

from junctor.errors import JunctorError, NodeNotFound
from junctor.messages import codec
from junctor.node import directory
from junctor.node.control import deciding, sending, steering, wire
from junctor.node.control.questions import awaited, blocking

T = TypeVar("T")

_PATIENCE = 5.0
"""Seconds to wait for a node to take the connection."""


def connect(node: str | Path | None = None) -> Connection:
    """A connection to a running node, opened by ``with`` or ``async with``.

    :param node: its data directory, or the name of one in ./.junctor; else $JUNCTOR_NODE, or the only one there.
    :raises NodeNotFound: there is none, or several. That it does not run is told when the connection is opened. Neither
        waits for a node that is starting: try again where one may be.
    """
    return Connection(directory.find(node))


class Connection:
    """How to reach a node; ``with`` gives a :class:`NodeClient`, ``async with`` an :class:`AsyncNodeClient`."""

    def __init__(self, path: Path) -> None:
        self.directory = path
        self._blocking: NodeClient | None = None
        self._async: AsyncNodeClient | None = None

    def open(self) -> NodeClient:
        """A blocking client, to be closed with ``close()``.

        :raises NodeNotFound: the node does not run.
        """
        return NodeClient(self.directory)

    def __enter__(self) -> NodeClient:
        self._blocking = self.open()
        return self._blocking

    def __exit__(self, *_: object) -> None:
        if self._blocking is not None:
            self._blocking.close()

    async def __aenter__(self) -> AsyncNodeClient:
        self._async = await AsyncNodeClient.open(self.directory)
        return self._async

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._async is not None:
            await self._async.close()


def _unreachable(path: Path, error: OSError | None = None) -> JunctorError:
    if isinstance(error, PermissionError):
        return NodeNotFound("this user may not talk to the node", where=str(path), fix="Run the command as its owner.")
    if isinstance(error, TimeoutError | BlockingIOError):
        return wire.NoAnswer("the node takes no connections", where=str(path))
    return directory.MayStart("the node does not run", where=str(path), fix="Start it with `junctor run`.")


def _result(answer: wire.Answer, kind: type[T] | Any = Any) -> T:
    if answer.error is not None:
        raise wire.error_from(answer.error)
    data = bytes(answer.result) or b"null"
    try:
        value: T = codec.convert(msgspec.json.decode(data), kind) if codec.is_pydantic(kind) else _decoded(data, kind)
    except Exception as error:
        raise codec.decode_error(error, "the answer", getattr(kind, "__name__", str(kind))) from error
    return value


def _decoded(data: bytes, kind: Any) -> Any:
    return msgspec.json.decode(data, type=kind)


class NodeClient:
    """A running node for blocking code. Safe to use from several threads: one question is asked after the other.

    Every method raises the :class:`~junctor.errors.JunctorError` that the node answers with, and
    :class:`~junctor.node.control.wire.ConnectionLost` when the node ends meanwhile.
    """

    # Defined once for both clients; `help(NodeClient.send)` shows each.
    send = blocking(sending.send)
    request = blocking(sending.request)
    call = blocking(sending.call)

    resend = blocking(deciding.resend)
    discard = blocking(deciding.discard)
    note = blocking(deciding.note)

    workflows = blocking(steering.workflows)
    workflow = blocking(steering.workflow)
    signal = blocking(steering.signal)
    query = blocking(steering.query)
    cancel = blocking(steering.cancel)
    retry = blocking(steering.retry)

    def __init__(self, path: Path) -> None:
        found = directory.socket_of(path)
        if found is None:
            raise _unreachable(path)
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(_PATIENCE)
        try:
            self._socket.connect(str(found))
        except OSError as error:
            self._socket.close()
            raise _unreachable(path, error) from error
        self.directory = path
        self._lines = self._socket.makefile("rb")
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def ask(self, operation: str, kind: Any = Any, /, patience: float | None = None, **arguments: Any) -> Any:
        """Do an operation of the node's table; the result as ``kind``.

        :param patience: seconds for the answer; the connection is of no use after they have passed in vain.
        :raises NoAnswer: they have.
        """
        with self._lock:
            number = next(self._numbers)
            line = wire.question(number, operation, arguments)
            self._socket.settimeout(patience)
            return _result(self._exchange(number, line), kind)

    def _exchange(self, number: int, line: bytes) -> wire.Answer:
        try:
            self._send(line)
            answer = wire.read_answer(self._read())
        except TimeoutError as error:
            self.close()
            raise wire.NoAnswer("the node does not answer", where=str(self.directory)) from error
        except (ConnectionResetError, BrokenPipeError) as error:
            raise wire.ConnectionLost("the node ended before it answered") from error
        except OSError as error:
            raise wire.ConnectionLost(f"the connection broke: {error.strerror or error}") from error
        except KeyboardInterrupt:
            self.close()  # The answer would be taken for that of the next question.
            raise
        except ValueError as error:  # what a closed file answers
            raise wire.ConnectionLost("the connection is closed") from error
        if answer.id not in (0, number):
            raise wire.ConnectionLost("the answer belongs to another question")
        return answer

    def _send(self, line: bytes) -> None:
        # Where the node hung up it may have said why: that is read next.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._socket.sendall(line)

    def _read(self) -> bytes:
        line = self._lines.readline()
        if not line.endswith(b"\n"):
            raise wire.ConnectionLost("the node ended before it answered")
        return line

    def await_end(self, timeout: float) -> bool:
        """Wait until the node has ended and released its store; False when it still runs after ``timeout`` seconds, 0
        to look at once."""
        self._socket.settimeout(timeout)
        try:
            return not self._socket.recv(1)
        except (TimeoutError, BlockingIOError):
            return False
        except OSError:
            return True

    def close(self) -> None:
        """Hang up. Idempotent."""
        self._lines.close()
        self._socket.close()


class AsyncNodeClient:
    """A running node for async code. Any number of questions may be open at once; errors as in :class:`NodeClient`."""

    # The same, awaited.
    send = awaited(sending.send)
    request = awaited(sending.request)
    call = awaited(sending.call)

    resend = awaited(deciding.resend)
    discard = awaited(deciding.discard)
    note = awaited(deciding.note)

    workflows = awaited(steering.workflows)
    workflow = awaited(steering.workflow)
    signal = awaited(steering.signal)
    query = awaited(steering.query)
    cancel = awaited(steering.cancel)
    retry = awaited(steering.retry)

    def __init__(self, protocol: _Answers) -> None:
        self._answers = protocol
        self._numbers = itertools.count(1)

    @classmethod
    async def open(cls, path: Path) -> AsyncNodeClient:
        """:raises NodeNotFound: the node does not run."""
        found = directory.socket_of(path)
        if found is None:
            raise _unreachable(path)
        try:
            connecting = asyncio.get_running_loop().create_unix_connection(_Answers, str(found))
            _, protocol = await asyncio.wait_for(connecting, _PATIENCE)
        except OSError as error:
            raise _unreachable(path, error) from error
        return cls(protocol)

    async def ask(self, operation: str, kind: Any = Any, /, **arguments: Any) -> Any:
        """Do an operation of the node's table; the result as ``kind``."""
        number = next(self._numbers)
        return _result(await self._answers.ask(number, wire.question(number, operation, arguments)), kind)

    async def close(self) -> None:
        """Hang up. Idempotent."""
        await self._answers.close()


class _Answers(asyncio.Protocol):
    """Matches answers to questions. No task: the loop hands over the bytes, each whole line resolves a future."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._waiting: dict[int, asyncio.Future[wire.Answer]] = {}
        self._parts: list[bytes] = []
        self._closed = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        *lines, rest = data.split(b"\n")
        for line in lines:
            self._parts.append(line)
            whole, self._parts = b"".join(self._parts), []
            self._resolve(whole)
        if rest:
            self._parts.append(rest)

    def _resolve(self, line: bytes) -> None:
        try:
            answer = wire.read_answer(line)
        except wire.ConnectionLost as error:
            self._fail(error)
            return
        if answer.id == 0 and answer.error is not None:
            self._fail(wire.error_from(answer.error))
        waiting = self._waiting.pop(answer.id, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(wire.ConnectionLost("the node ended, or hung up, before it answered"))
        self._transport = None
        if not self._closed.done():
            self._closed.set_result(None)

    def _fail(self, error: Exception) -> None:
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(error)
        self._waiting.clear()

    async def ask(self, number: int, line: bytes) -> wire.Answer:
        if self._transport is None or self._transport.is_closing():
            raise wire.ConnectionLost("the connection is closed")
        waiting: asyncio.Future[wire.Answer] = asyncio.get_running_loop().create_future()
        self._waiting[number] = waiting
        self._transport.write(line)
        try:
            return await waiting
        finally:
            self._waiting.pop(number, None)

    async def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
        await self._closed
