"""A worker process as the node sees it: started, spoken to, and told from its end what it died of."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from typing import IO, Any

from junctor.core.outcome import Failure, Outcome
from junctor.errors import ConfigurationError, WorkerLost
from junctor.observe.frames import OURS
from junctor.runtime.supervisor import Supervisor
from junctor.runtime.workers import protocol
from junctor.runtime.workers.channel import UNHEARD

ENTRY = "junctor.node.worker"
"""The module that a worker process runs; it stands above this layer because it knows how to load flows."""

LAST_WORDS = 1.0
"""Seconds that a worker whose connection is closed has to end by itself."""

_DRAIN = 0.05
"""Seconds for what a process has said before its end."""

_LONGEST_REPORT = 8192


class Child(asyncio.Protocol):
    """One process.

    :param supervisor: of its tasks.
    :param serve: called with each frame that is a wish of the worker.
    :param lost: called once, when it has ended without being asked to, with what it died of.
    """

    def __init__(
        self, supervisor: Supervisor, serve: Callable[[protocol.Frame], object], lost: Callable[[WorkerLost], object]
    ) -> None:
        self._supervisor = supervisor
        self._serve = serve
        self._lost = lost
        self._feed = protocol.Feed()
        self._transport: asyncio.WriteTransport | None = None
        self._process: asyncio.SubprocessTransport | None = None
        self._exited: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._report: IO[bytes] | None = None
        self._built: asyncio.Future[protocol.Built] = asyncio.get_running_loop().create_future()
        self._settling: dict[int, asyncio.Future[Outcome | None]] = {}
        self._calls: dict[int, asyncio.Future[protocol.Returned]] = {}
        self._wrong = ""
        self._closing = False
        self.closed = asyncio.Event()

    @property
    def pid(self) -> int:
        """The process id, 0 when it has ended."""
        return self._process.get_pid() or 0 if self._process is not None and not self._exited.done() else 0

    @property
    def alive(self) -> bool:
        return self._transport is not None and not self._closing and not self.closed.is_set()

    @property
    def building(self) -> bool:
        """Whether it has still to make its instance."""
        return not self._built.done() and not self.closed.is_set()

    async def start(self, build: protocol.Build) -> None:
        """Start it and let it make the service.

        :raises ConfigurationError: it cannot; its reason is in the text.
        :raises WorkerLost: it died of it.
        """
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        self._report = tempfile.TemporaryFile()
        files = (theirs.fileno(), self._report.fileno())
        with theirs:
            command = (sys.executable, "-m", ENTRY, *map(str, files), str(os.getpid()))
            self._process, _ = await loop.subprocess_exec(
                lambda: _Exit(self._end_of_process), *command, stdin=None, stdout=None, stderr=None, pass_fds=files
            )
        await loop.create_connection(lambda: self, sock=ours)
        self.send(build)
        built = await self._built
        if built.failure is not None:
            self._closing = True
            raise _cannot_build(built.failure, f"{build.flow}/{build.service}")

    def send(self, *frames: protocol.Frame) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"".join(map(protocol.pack, frames)))

    def deliver(self, *frames: protocol.Deliver) -> list[asyncio.Future[Outcome | None]]:
        """Hand deliveries over, to be handled one after the other. Each future gets its outcome, None when it has not
        begun; :class:`WorkerLost` when the process ended."""
        create = asyncio.get_running_loop().create_future
        futures = []
        for frame in frames:
            future = self._settling[frame.message.seq] = create()
            futures.append(future)
        if not self.alive:
            self._fail(worker_lost("its connection closed"))
        self.send(*frames)
        return futures

    async def call(self, frame: protocol.Call) -> protocol.Returned:
        """Run an entry.

        :raises WorkerLost: the process ended meanwhile.
        """
        if not self.alive:
            raise worker_lost("its connection closed")
        future: asyncio.Future[protocol.Returned] = asyncio.get_running_loop().create_future()
        self._calls[frame.number] = future
        self.send(frame)
        try:
            return await future
        except asyncio.CancelledError:
            self.send(protocol.Cancel(frame.number))
            raise
        finally:
            self._calls.pop(frame.number, None)

    async def close(self, patience: float) -> None:
        """Ask it to close the service and end; kill it when it does not."""
        self._closing = True
        self.send(protocol.Stop())
        try:
            async with asyncio.timeout(patience):
                await self.closed.wait()
        except TimeoutError:
            self.kill()  # it has nothing that is not in the journal
            await self.closed.wait()

    def kill(self) -> None:
        if self._process is not None and not self._exited.done():
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    # The stream -----------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def _end_of_process(self, code: int) -> None:
        """What it has said is read to its end before it counts as dead. A child of its own may keep the stream open."""
        self._exited.set_result(code)
        asyncio.get_running_loop().call_later(_DRAIN, self._hang_up)

    def _hang_up(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        try:
            for frame in self._feed.frames(data):
                self._take(frame)
        except Exception as error:  # noqa: BLE001 - whatever it is, this is no worker any more
            self._wrong = f"it wrote what is no frame: {error}"
            self.kill()

    def _take(self, frame: protocol.Frame) -> None:
        if isinstance(frame, protocol.Settled):
            future = self._settling.pop(frame.seq, None)
            if future is not None and not future.done():
                future.set_result(frame.outcome)
        elif isinstance(frame, protocol.Returned):
            call = self._calls.get(frame.number)
            if call is not None and not call.done():
                call.set_result(frame)
        elif isinstance(frame, protocol.Built):
            self._built.set_result(frame)
        else:
            self._serve(frame)

    def connection_lost(self, error: Exception | None) -> None:
        self._supervisor.start(f"end of worker {self.pid}", self._ended())

    async def _ended(self) -> None:
        try:
            async with asyncio.timeout(LAST_WORDS):
                code = await asyncio.shield(self._exited)
        except TimeoutError:
            self._wrong = self._wrong or "it closed its connection and went on"
            self.kill()
            code = await self._exited
        lost = worker_lost(self._reason(code), self._crash())
        self.closed.set()
        self._fail(lost)
        if not self._built.done():
            self._built.set_exception(lost)
        elif not self._closing:
            self._lost(lost)

    def _fail(self, error: Exception) -> None:
        waiting: list[asyncio.Future[Any]] = [*self._settling.values(), *self._calls.values()]
        for future in waiting:
            if not future.done():
                future.set_exception(error)
                future.exception()  # it may be that nobody waits any more
        self._settling.clear()

    def _reason(self, code: int) -> str:
        if self._wrong:
            return self._wrong
        if code >= 0:
            return f"exit code {code}" + (" (its connection was closed)" if code == UNHEARD else "")
        name = signal.Signals(-code).name
        return f"signal {name}" + (" (out of memory, or killed by hand)" if name == "SIGKILL" else "")

    def _crash(self) -> str:
        """Where the interpreter was when it crashed, as far as it could still tell."""
        if self._report is None:
            return ""
        with self._report as file:
            file.seek(0)
            return _users_part(file.read(_LONGEST_REPORT).decode("utf-8", "replace"))


class _Exit(asyncio.SubprocessProtocol):
    """Tells of the end of a process."""

    def __init__(self, exited: Callable[[int], object]) -> None:
        self._exited = exited
        self._process: asyncio.SubprocessTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._process = transport  # type: ignore[assignment]

    def process_exited(self) -> None:
        assert self._process is not None
        self._exited(self._process.get_returncode() or 0)
        self._process.close()


def worker_lost(reason: str, crash: str = "") -> WorkerLost:
    """The error for the end of a worker process.

    :param crash: where the interpreter was then.
    """
    lost = WorkerLost(f"the worker process ended with {reason}")
    lost.reason, lost.crash = reason, crash
    return lost


def _users_part(report: str) -> str:
    """What the interpreter wrote when it crashed, as far down as the code of the service goes."""
    lines: list[str] = []
    for line in report.splitlines():
        if f'"{OURS}' in line:
            break
        lines.append(line)
    return "\n".join(lines).strip()


def _cannot_build(failure: Failure, where: str) -> Exception:
    error: Any = ConfigurationError(f"a worker cannot build the service: {failure.type}: {failure.text}", where=where)
    error.failure = failure
    return error  # type: ignore[no-any-return]
