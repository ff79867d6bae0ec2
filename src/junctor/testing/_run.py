"""``running``: a flow inside ``async with``, or ``with`` where a test blocks."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from junctor.errors import JunctorError
from junctor.flows.model import known_words
from junctor.runtime.threads import OwnLoop
from junctor.testing._errors import told_short
from junctor.testing._plant import RunningFlow, options_of

if TYPE_CHECKING:
    from junctor.testing._blocking import BlockingFlow
    from junctor.testing._stage import Testable

__tracebackhide__ = True  # of pytest: a failure is shown where the test is

T = TypeVar("T")


@known_words
def running(
    flow: Testable,
    *,
    store: str | Path | None = None,
    start: datetime | None = None,
    set: Mapping[str, Any] | None = None,
    replace: Mapping[str, Any] | None = None,
    without: str | Iterable[str] = (),
    capture: str | Iterable[str] = (),
    fail: Mapping[str, BaseException] | None = None,
    http: bool = False,
    background: str | Iterable[str] = (),
    patience: float = 5.0,
) -> Running:
    """Run a flow in a test: ``async with running(flow) as plant:``, in blocking tests ``with running(flow) as plant:``.

    Messages are in memory and time is virtual. What fails in the flow fails the test at the end of the block, unless
    it was expected.

    :param flow: a flow, a service alone, a module, or a text as for ``junctor run``: ``"flow.yaml"``.
    :param store: a folder: messages are kept on disk as in production, and the flow can be killed and restarted.
    :param start: what the clock shows first; the beginning of 2030 by default.
    :param set: settings over those of the flow: ``{"alarm.limit": 5}``.
    :param replace: services to run instead of others, by name: ``{"crm": FakeCrm()}``.
    :param without: services to leave out; what would go to them is captured.
    :param capture: targets, ``"alarm.mails"``, whose messages are kept instead of delivered.
    :param fail: errors to be raised once, from the start on: ``{"alarm.on_start": ConnectionError()}``.
    :param http: open a real listener on a free port: ``plant.url``.
    :param background: services whose ``loop()`` reads from outside in a thread, and never comes to rest.
    :param patience: seconds of real time that code may take to come to rest.
    :raises ConfigurationError: something in the flow or in these words is wrong.
    """
    given: dict[str, Any] = {"store": store, "start": start, "http": http, "patience": patience, "set": set or {}}
    given |= {"replace": replace or {}, "without": without, "capture": capture, "fail": fail or {}}
    return Running(flow, given | {"background": background})


class Running:
    """A flow that is about to run; see :func:`running`."""

    def __init__(self, flow: Testable, given: Mapping[str, Any]) -> None:
        self._flow = flow
        self._options = options_of(given)
        self._plant: RunningFlow | None = None
        self._blocking: BlockingFlow | None = None

    @told_short
    async def __aenter__(self) -> RunningFlow:
        plant = RunningFlow(self._flow, self._options)
        await plant.start()
        self._plant = plant
        return plant

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._plant is not None
        await self._plant.stop(check=error is None)

    def __enter__(self) -> BlockingFlow:
        from junctor.testing._blocking import BlockingFlow

        if asyncio._get_running_loop() is not None:
            raise JunctorError("an event loop runs here", where="running()", fix="Write `async with running(...)`.")
        loop = LoopThread()
        try:
            plant = loop.run(self.__aenter__())
        except BaseException:
            loop.close()
            raise
        self._blocking = BlockingFlow(plant, loop)
        return self._blocking

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._blocking is not None
        loop = self._blocking.loop
        try:
            loop.run(self.__aexit__(kind, error, trace))
        finally:
            loop.close()


class LoopThread:
    """A thread with an event loop, for a test that blocks: what listens goes on listening between two calls."""

    def __init__(self) -> None:
        self._own = OwnLoop("junctor test")

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run it on the loop and answer its result here."""
        future = asyncio.run_coroutine_threadsafe(work, self._own.loop)
        error = future.exception()
        if error is not None:
            raise error  # without the frames of the way between the threads
        return future.result()

    def close(self) -> None:
        self._own.close()
        self._own.thread.join()
