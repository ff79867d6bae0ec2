"""What a workflow awaits: steps that end by an input of its history, and parts of it that run beside each other.

No event loop is involved. A :class:`Part` drives a coroutine by hand and goes on when what it awaits is done; the order
in which parts go on follows from the history alone.
"""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from junctor.core.history import Command
from junctor.errors import JunctorError, NotDurable, WorkflowCancelled
from junctor.messages import MessageType
from junctor.services.workflow.places import place_at, place_in, place_of

if TYPE_CHECKING:
    from junctor.services.workflow.driver import Driver

T = TypeVar("T")


class Left(BaseException):
    """The run cannot go on here and now: its code is left at once, past every ``except Exception``."""


class Step(Generic[T]):
    """Something durable that a workflow has begun: await it for its result. It goes on also while nobody awaits it."""

    __slots__ = ("__weakref__", "_error", "_value", "awaiting", "command", "done", "driver", "replies")

    def __init__(self, driver: Driver, command: Command | None = None, replies: MessageType | None = None) -> None:
        self.driver = driver
        self.command = command
        self.replies = replies
        self.done = False
        self.awaiting: list[Part | Several] = []
        self._value: Any = None
        self._error: BaseException | None = None

    def result(self) -> T:
        """The result of a step that is done; raises what it ended with.

        :raises JunctorError: it is not done.
        """
        if not self.done:
            raise JunctorError("this step is not done yet", fix="Await it.")
        if self._error is not None:
            raise self._error
        value: T = self._value
        return value

    @property
    def error(self) -> BaseException | None:
        """What it ended with, None for a result, or while it goes on."""
        return self._error

    def __await__(self) -> Generator[Any, Any, T]:
        try:
            while not self.done:
                yield self
        except BaseException:
            del self  # the traceback of a cancellation holds this frame, and would hold a sleep that nobody awaits
            raise
        return self.result()

    def end(self, value: Any = None, error: BaseException | None = None) -> None:
        if self.done:
            return
        self.done, self._value, self._error = True, value, error
        self.driver.go_on(self.awaiting)
        self.awaiting = []

    def watch(self, who: Part | Several) -> None:
        """Have somebody go on when this is done."""
        if who not in self.awaiting:
            self.awaiting.append(who)

    def leave(self, who: Part | Several) -> None:
        """Have somebody not wait any more."""
        if who in self.awaiting:
            self.awaiting.remove(who)

    def __repr__(self) -> str:
        return f"<Step {self.command}>"


class Part(Step[Any]):
    """A coroutine of a run: the handler itself, or one that it gave to ``gather`` or ``first``."""

    __slots__ = ("_coroutine", "_throws", "_waits")

    def __init__(self, driver: Driver, coroutine: Coroutine[Any, Any, Any]) -> None:
        super().__init__(driver)
        self._coroutine = coroutine
        self._throws: BaseException | None = None
        self._waits: Step[Any] | None = None

    def go(self) -> None:
        """Drive it until it waits or ends."""
        throws, self._throws, self._waits = self._throws, None, None
        if self.done:
            return
        try:
            while True:
                step = self._coroutine.send(None) if throws is None else self._coroutine.throw(throws)
                throws = None
                if not isinstance(step, Step) or step.driver is not self.driver:
                    throws = self._foreign(step)
                elif not step.done:
                    break
        except StopIteration as stop:
            self.end(stop.value)
        except Left:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever it is, it ends this part, and who awaits it gets it
            self.end(error=error)
        else:
            self._waits = step
            step.watch(self)

    def cancel(self) -> None:
        """Raise WorkflowCancelled at its await: first in the parts that it waits for, then in itself."""
        if self.done:
            return
        waits = self._waits
        if isinstance(waits, (Part, Several)) and waits.cancel_parts():
            return
        if waits is not None:
            waits.leave(self)
            self._waits = None
        self._throws = WorkflowCancelled("this run was cancelled", where=self.driver.where)
        self.driver.go_on([self])

    def cancel_parts(self) -> bool:
        self.cancel()
        return not self.done

    def place(self) -> str:
        """The line where it waits. Behind its end, that of the error, or where its function begins."""
        ended = place_of(self.error) if self.error is not None else ""
        return place_in(self._coroutine) or ended or place_at(getattr(self._coroutine, "cr_code", None))

    def close(self) -> None:
        """Forget it: its code is left where it is."""
        self.done = True
        try:
            self._coroutine.close()
        except BaseException:  # noqa: BLE001 - what it does on its way out has no effect any more
            pass

    def _foreign(self, awaited: object) -> NotDurable:
        name = type(awaited).__name__ if awaited is not None else "something of asyncio"
        return NotDurable(
            f"it awaits {name}, which no history holds", where=place_in(self._coroutine) or self.driver.where
        )


class Several(Step[Any]):
    """Several steps as one: over when all of them are done or one failed, or with ``first`` when one is done."""

    __slots__ = ("_cancelled", "_first", "_steps")

    def __init__(self, driver: Driver, steps: list[Step[Any]], *, first: bool) -> None:
        super().__init__(driver)
        self._steps = steps
        self._first = first
        self._cancelled = False
        for step in steps:
            if not step.done:
                step.watch(self)
        self.go()

    def go(self) -> None:
        """See whether it is over now."""
        if self.done:
            return
        ended = [step for step in self._steps if step.done]
        if self._cancelled:
            self._look_cancelled()
        elif self._first and ended:
            self._over(ended[0])
        elif not self._first:
            failed = next((step.error for step in ended if step.error is not None), None)
            if failed is not None or len(ended) == len(self._steps):
                self._over([step.result() for step in self._steps] if failed is None else None, failed)

    def cancel_parts(self) -> bool:
        """Cancel the coroutines in it; it is over when they are. False where there are none."""
        parts = [step for step in self._steps if isinstance(step, Part) and not step.done]
        self._cancelled = bool(parts)
        for part in parts:
            part.cancel()
        return self._cancelled

    def _look_cancelled(self) -> None:
        if all(step.done for step in self._steps if isinstance(step, Part)):
            self.end(error=WorkflowCancelled("this run was cancelled", where=self.driver.where))

    def _over(self, value: Any = None, error: BaseException | None = None) -> None:
        self.end(value, error)
        steps, self._steps = self._steps, []
        for step in steps:
            step.leave(self)
            if isinstance(step, Part):
                step.cancel()
