"""The base class of workflows: a handler that goes on after hours, restarts and crashes where it was."""

from __future__ import annotations

import inspect
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, NoReturn, TypeVar
from uuid import UUID

from junctor.clock import SECOND, instant, parse_duration
from junctor.core.history import digest
from junctor.core.policy import Policies, PoolPolicy
from junctor.core.run import RUN_KEY
from junctor.core.spec import ServiceSpec
from junctor.errors import NotDurable, NotRunning, UnknownTarget
from junctor.messages import TypeRegistry, type_name
from junctor.messages.types import is_body_class
from junctor.services.service import Service
from junctor.services.target import Ready
from junctor.services.workflow.driver import Continue, Driver
from junctor.services.workflow.steps import Step
from junctor.services.workflow.targets import RunTarget

T = TypeVar("T")

_SILENT = logging.Logger("junctor.workflow.replay")
_SILENT.disabled = True

DRIVER = "__junctor_driver__"


class Workflow(Service):
    """A service whose handlers last: hours, days, over restarts and crashes.

    Each message that a ``@handler`` takes begins a *run*, with an object of the class of its own. The handler is an
    ``async def`` and awaits what is durable: requests, :meth:`sleep`, :meth:`wait`, :meth:`gather`, :meth:`first` and
    :meth:`once`. What it does is committed with its history; after a restart the handler runs again from its beginning
    against that history, up to where it was. So its code must do the same each time: see the guide's page on workflows.

    ``@signal`` methods are called when a message for the run comes and may change its attributes; ``@query`` methods
    tell about it.
    """

    __junctor_base__ = True
    __junctor_taken__ = (
        "run_id", "key", "effect", "random", "uuid", "wait", "gather", "first", "once", "continue_as_new",
    )  # fmt: skip

    __junctor_policies__ = Policies(pool=PoolPolicy(size=16, key=RUN_KEY))

    @staticmethod
    def __junctor_durable__(cls: type, spec: ServiceSpec) -> ServiceSpec:
        from junctor.services.workflow.spec import durable

        return durable(cls, spec)

    # What belongs to the run ----------------------------------------------------------------------------------

    @property
    def run_id(self) -> str:
        """The id of the run, that of the message that began it. Signals and queries may name it by this."""
        return self._driver("run_id").seed

    @property
    def key(self) -> str | None:
        """The business key of the run, where its handler has one: ``@handler(key="number")``."""
        return self._driver("key").key

    @property
    def effect(self) -> str:
        """In a block of :meth:`once`: a key that is the same each time the block is done, for other systems that count
        a call with the same idempotency key once."""
        return self._driver("effect").effect

    @property
    def random(self) -> random.Random:
        """Random numbers that a replay gives again. ``random()`` itself is the same in each version of Python."""
        return self._driver("random").random

    def uuid(self) -> UUID:
        """A unique id that a replay gives again."""
        return self._driver("uuid").uuid()

    def now(self) -> datetime:
        """The time at which the present turn began, a date in UTC; the same at a replay."""
        return instant(self._driver("now").time)

    @property
    def log(self) -> logging.Logger | logging.LoggerAdapter[logging.Logger]:
        """As in any service. A replay does not repeat the lines."""
        driver = vars(self).get(DRIVER)
        return _SILENT if driver is not None and driver.replaying else super().log

    # What lasts -----------------------------------------------------------------------------------------------

    def sleep(self, duration: float | str) -> Step[None]:  # type: ignore[override]
        """A durable pause: seconds, or a text like ``"30d"``. It costs nothing while it lasts."""
        driver = self._driver("sleep")
        wait = max(1, int(parse_duration(duration) * SECOND))
        return driver.begin("sleep", self._wakes(driver, wait), wait=wait)

    def wait(self, condition: Callable[[], Any], *, timeout: float | str | None = None) -> Step[bool]:
        """Until the condition holds: ``await self.wait(lambda: self.approved, timeout="3d")``. It is looked at after
        each signal, reply and timer. Gives False when the time is over.

        :param condition: a function of the attributes of the run; it changes nothing.
        """
        driver = self._driver("wait")
        wait = 0 if timeout is None else max(1, int(parse_duration(timeout) * SECOND))
        return driver.wait(condition, self._wakes(driver, wait), wait)

    async def gather(self, *awaited: Awaitable[Any]) -> list[Any]:
        """The results of steps and coroutines that go on beside each other, in their order. The first error ends it;
        coroutines that still go on are cancelled then, steps are ignored."""
        results: list[Any] = await self._driver("gather").several(awaited, first=False)
        return results

    async def first(self, *awaited: Awaitable[Any]) -> Step[Any]:
        """The step that is done first. Its ``result()`` gives the value, or raises the error; ``is`` tells which it is.
        The others are ignored, coroutines among them are cancelled."""
        if not awaited:
            raise NotDurable("first() of nothing would never end", where=self.name, fix="Give it what it waits for.")
        step: Step[Any] = await self._driver("first").several(awaited, first=True)
        return step

    def once(self, work: Callable[[], Any], returns: Any = None) -> Step[Any]:
        """Work that no history can hold: a call of another system, a file. Its result is recorded, so that a replay
        does not do it again.

        It is done at least once: again, when the node dies before the result is stored. :attr:`effect` is the same
        then. An exception is raised as :class:`~junctor.errors.EffectFailed`.

        :param work: takes no arguments; a plain function runs in a thread.
        :param returns: the type of the result; by default that of the annotation of ``work``, else plain JSON values.
        """
        return self._driver("once").once(work, returns if returns is not None else _annotated(work))

    def continue_as_new(self, body: Any) -> NoReturn:
        """End this run, and begin another one with an empty history and the same key. Who asked this one gets the reply
        of the last one.

        :param body: for a handler of this class.
        """
        self._driver("continue_as_new")
        raise Continue(body)

    def publish(self, body: Any, *, key: str | None = None, headers: Mapping[str, str] | None = None) -> Any:
        port, driver = self.__junctor__.port, self._driver("publish")
        act = lambda step: port.publish(body, key=key, headers=headers)  # noqa: E731
        driver.call("publish", act, type=type_name(type(body)), digest=digest(body))
        return Ready(None)

    def broadcast(self, body: Any, *, headers: Mapping[str, str] | None = None) -> Any:
        port, driver = self.__junctor__.port, self._driver("broadcast")
        act = lambda step: port.broadcast(body, headers=headers)  # noqa: E731
        driver.call("broadcast", act, type=type_name(type(body)), digest=digest(body))
        return Ready(None)

    def target(self, name: str, request: Any = Any, reply: Any = None, *, handler: str | None = None) -> Any:
        """A target chosen at run time, as in any service."""
        driver = vars(self).get(DRIVER)
        if driver is None:
            return super().target(name, request, reply, handler=handler)
        try:
            links = super().target(name, request, reply, handler=handler)._links
        except UnknownTarget:
            if not driver.replaying:
                raise
            links = ()  # it was there then
        inside, replies = self.__junctor__, TypeRegistry().register(reply) if reply not in (None, Any) else None
        return RunTarget(
            inside.port, links, request, f"{inside.name} -> {name}", name=name, driver=driver, replies=replies
        )

    # What it has not ------------------------------------------------------------------------------------------

    @property
    def state(self) -> Any:
        raise NotDurable(
            "a workflow has no self.state", where=self.name, fix="Use attributes: self.total = 0. A replay makes them."
        )

    @property
    def message(self) -> Any:
        raise NotDurable(
            "a workflow has no self.message, which a replay cannot give again",
            where=self.name,
            fix="Put what you need into the body; self.run_id is the id of the run, self.key its key.",
        )

    # ----------------------------------------------------------------------------------------------------------

    def _driver(self, what: str) -> Driver:
        driver: Driver | None = vars(self).get(DRIVER)
        if driver is None:
            raise NotRunning(
                f"{what} belongs to a run, and no node runs this workflow",
                where=self.name,
                fix="In a test: async with junctor.testing.running(flow), which has a time of its own.",
            )
        return driver

    def _wakes(self, driver: Driver, wait: int) -> Callable[[int], None] | None:
        if not wait:
            return None
        return lambda step: self.__junctor__.port.runs.wake(driver.number, step, driver.time + wait)


def _annotated(work: Callable[[], Any]) -> Any:
    """The type that a function says it returns, where that is a body class."""
    try:
        found = inspect.signature(work, eval_str=True).return_annotation
    except (TypeError, ValueError, NameError):
        return None
    return found if is_body_class(found) else None
