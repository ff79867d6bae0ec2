"""``run()`` of a program: the node in a thread, what the service does in the main thread, where Ctrl-C reaches it."""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import queue
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from junctor.dialects.beside import refuse_beside
from junctor.dialects.servicefactory.base import base
from junctor.dialects.servicefactory.ending import REASON
from junctor.dialects.servicefactory.signals import handled
from junctor.dialects.servicefactory.spec import spec_of
from junctor.errors import ConfigurationError, JunctorError
from junctor.node.flow import Flow
from junctor.node.node import Node
from junctor.observe.prints import join_prints

CONFIGURATION, INTERNAL = 78, 70


class _Interrupted(BaseException):
    """Ends the call in the main thread that runs when a signal comes."""


_Call = tuple[concurrent.futures.Future[Any], Callable[[], Any]]


class MainThread:
    """The stage of a program's service: its calls are made in the main thread, one after the other.

    :param asked: called there when Ctrl-C or SIGTERM has ended the call that ran.
    """

    def __init__(self, asked: Callable[[], object]) -> None:
        self._asked = asked
        self._calls: queue.SimpleQueue[_Call | bool] = queue.SimpleQueue()
        self._inside = False
        self._signals = 0

    def __call__(self, call: Callable[..., Any], *args: Any) -> Any:
        """Make a call there and wait for it. When the program is asked to end, its ``loop`` is not called again."""
        done: concurrent.futures.Future[Any] = concurrent.futures.Future()
        self._calls.put((done, lambda: None if self._past(call) else call(*args)))
        return done.result()

    def _past(self, call: Callable[..., Any]) -> bool:
        # asked when a signal already ends the call: one that came while the call still waited would end nothing
        return self._signals > 0 and getattr(call, "__name__", "") == "loop"

    def serve(self) -> None:
        """Make the calls until :meth:`close`."""
        while (work := self._calls.get()) is not False:
            if isinstance(work, bool):
                self._asked()
            else:
                self._make(*work)

    def _make(self, done: concurrent.futures.Future[Any], call: Callable[[], Any]) -> None:
        result, error = None, None
        try:
            try:
                self._inside = True
                result = call()
            except _Interrupted:
                raise
            except BaseException as raised:  # noqa: BLE001 - it is the service's, and the engine deals with it
                error = raised
            self._inside = False
        except _Interrupted:
            result, error = None, None
        done.set_result(result) if error is None else done.set_exception(error)

    def close(self) -> None:
        """No further call comes."""
        self._calls.put(False)

    def signals(self) -> AbstractContextManager[None]:
        """Take Ctrl-C and SIGTERM. The first ends the call that runs, and asks; the second ends the process."""
        return handled(self._signal)

    def _signal(self, number: int, frame: object) -> None:
        self._signals += 1
        if self._signals > 1:
            os._exit(128 + number)
        self._calls.put(True)
        if self._inside:
            self._inside = False
            raise _Interrupted


class Background:
    """The node of a program, on an event loop in a thread of its own."""

    def __init__(self, flow: Flow, address: str | None, closed: Callable[[], object]) -> None:
        self._flow = flow
        self._address = address
        self._closed = closed
        self._node: Node | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._asked = False
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="junctor node")

    def start(self) -> None:
        self._thread.start()

    def ask_stop(self) -> None:
        """Let the node stop; one that starts just now does so when it has."""
        self._asked = True
        if self._loop is not None and self._node is not None:
            self._loop.call_soon_threadsafe(self._node.ask_stop, REASON)

    def join(self) -> None:
        self._thread.join()

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=_loop_factory()) as runner:
                runner.run(self._main())
        except BaseException as error:  # noqa: BLE001 - told by the main thread
            self.error = error
        finally:
            self._closed()

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        async with self._flow.running(http=self._address) as node:
            self._node = node
            if not self._asked:
                await node.asked_to_stop()


def run(service: base, came: Sequence[int] = ()) -> int:
    """Run a service until it is asked to stop; the exit code.

    :param came: the signals that came while the caller only noted them. With one, nothing is started.
    """
    cls = type(service)
    address = None if cls.PORT is None else f"127.0.0.1:{cls.PORT}"

    def asked() -> None:
        service.log(REASON)
        node.ask_stop()

    stage = MainThread(asked)
    try:
        refuse_beside(("servicefactory",), "junctor-servicefactory")
        spec = spec_of(cls, made=service, stage=stage)
    except ConfigurationError as error:
        return _tell(error)
    node = Background(Flow(spec.name).add(spec), address, stage.close)
    undo = join_prints()
    try:
        with stage.signals():
            if came:
                return 128 + came[0]
            node.start()
            stage.serve()
            node.join()
    finally:
        undo()
    return 0 if node.error is None else _tell(node.error)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # no wheel for this platform
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


def _tell(error: BaseException) -> int:
    if not isinstance(error, JunctorError):
        raise error
    sys.stderr.write(f"{error}\n")
    return CONFIGURATION if isinstance(error, ConfigurationError) else INTERNAL
