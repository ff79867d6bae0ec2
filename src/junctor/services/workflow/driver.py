"""One run in memory: drives the code of a workflow from input to input, and compares it with its history."""

from __future__ import annotations

import functools
import random
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Sequence
from hashlib import blake2b
from typing import Any, Literal
from uuid import UUID
from weakref import ref

import msgspec

from junctor.core.history import MAX_STEPS, VERSION, Command, End, Entry, Input, What, difference
from junctor.core.outcome import Park
from junctor.errors import (
    Divergence,
    EffectFailed,
    HistoryTooLong,
    NotDurable,
    RequestFailed,
    RequestTimeout,
    WorkflowCancelled,
)
from junctor.errors import WorkflowFailed as Failed
from junctor.messages.sensitive import Path, sensitive_paths
from junctor.services.workflow.ends import ended_request, value_of
from junctor.services.workflow.places import place_here
from junctor.services.workflow.steps import Left, Part, Several, Step

DECLARED = (Failed, Park, RequestFailed, RequestTimeout)
"""Exceptions that end a run as failed: a matter of business, or a request that nobody caught."""

Place = Literal["", "code", "query", "block", "closed"]


class Continue(BaseException):
    """The run ends and another one carries on with this body."""

    def __init__(self, body: Any) -> None:
        super().__init__()
        self.body = body


class Block(msgspec.Struct):
    """Work that is done once, outside of the history."""

    step: Step[Any]
    work: Callable[[], Any]
    kind: Any


class Driver:
    """The coroutine of a run with all that it waits for.

    ``turns`` is the number of turns it has seen. ``place`` says whose code runs: only that of the run itself may do
    something. ``hidden`` are the bodies with sensitive values that came to it, each with their paths: what its code
    says in a later turn may quote them. While ``recorded`` has the calls of a turn they are compared and nothing is
    done.
    """

    def __init__(self, number: int, seed: str, where: str) -> None:
        self.number = number
        self.seed = seed
        self.where = where
        self.key: str | None = None
        self.handler = ""
        self.turns = 0
        self.time = 0
        self.place: Place = ""
        self.effect = ""
        self.cancelled = False
        self.hidden: list[tuple[bytes, Sequence[Path]]] = []
        self.main: Part | None = None
        self._names = 0
        self._calls = 0
        self._did: list[Command] = []
        self._recorded: Sequence[Command] | None = None
        self._broken: BaseException | None = None
        self._ready: deque[Part | Several] = deque()
        self._open: dict[int, Step[Any]] = {}
        # A sleep that the code has let go of, as one that was cancelled, changes nothing when it ends.
        self._sleeps: dict[int, ref[Step[Any]]] = {}
        self._timers: dict[int, int] = {}
        self._spent: list[tuple[int, int]] = []
        self._conditions: list[tuple[Callable[[], Any], Step[Any]]] = []
        self._blocks: deque[Block] = deque()
        self._parts: list[Part] = []

    @functools.cached_property
    def random(self) -> random.Random:
        """Made when it is first used: it is larger than all the rest."""
        return random.Random(self.seed)

    # What the code of the workflow asks ---------------------------------------------------------------------

    @property
    def replaying(self) -> bool:
        return self._recorded is not None or self.place == "closed"

    def call(self, what: What, act: Callable[[int], object] | None = None, **facts: Any) -> Command:
        """Take note of a call. It is carried out where it is a new one, and compared where history has it."""
        self._check(what)
        if len(self._did) >= MAX_STEPS:
            self.leave(HistoryTooLong(f"run {self.number} makes {MAX_STEPS:,} calls in one turn", where=self.where))
        command = Command(step=self._calls + 1, what=what, **facts)
        if self._recorded is not None:
            self._compare(self._recorded, command)
        elif act is not None:
            try:
                act(command.step)
            except Exception as error:  # noqa: BLE001 - it is not for the workflow, which would not see it at a replay
                self.leave(error)
        self._calls = command.step
        self._did.append(command)
        return command

    def begin(self, what: What, act: Callable[[int], object] | None = None, **facts: Any) -> Step[Any]:
        """A call whose end comes as an input."""
        replies = facts.pop("replies", None)
        command = self.call(what, act, **facts)
        step: Step[Any] = Step(self, command, replies)
        if what == "sleep":
            self._sleeps[command.step] = ref(step)
        else:
            self._open[command.step] = step
        if command.wait:
            self._timers[command.step] = self.time + command.wait
        return step

    def wait(self, condition: Callable[[], Any], act: Callable[[int], object] | None, wait: int) -> Step[Any]:
        step = self.begin("wait", act, wait=wait)
        self._conditions.append((condition, step))
        return step

    def once(self, work: Callable[[], Any], kind: Any) -> Step[Any]:
        name = getattr(work, "__name__", "").replace("<lambda>", "")
        step: Step[Any] = Step(self, self.call("once", to=name, hidden=sensitive_paths(kind)))
        self._blocks.append(Block(step, work, kind))
        return step

    def several(self, awaited: Iterable[Any], *, first: bool) -> Several:
        self._check("gather")
        return Several(self, [self._step_of(each) for each in awaited], first=first)

    def _step_of(self, awaited: Any) -> Step[Any]:
        if isinstance(awaited, Step):
            return awaited
        if isinstance(awaited, Coroutine):
            return self._part(awaited)
        what = f"{type(awaited).__name__} is no step of this workflow"
        raise NotDurable(what, where=place_here() or self.where)

    def _part(self, coroutine: Coroutine[Any, Any, Any]) -> Part:
        part = Part(self, coroutine)
        self._parts.append(part)
        self._ready.append(part)
        return part

    def uuid(self) -> UUID:
        self._check("uuid")
        self._names += 1
        made = blake2b(f"{self.seed}/{self._names}".encode(), digest_size=16).digest()
        return UUID(bytes=made, version=4)

    def _check(self, what: str) -> None:
        if self.place == "closed" or self._broken is not None:
            raise Left
        if self.place == "code":
            return
        inside = {"query": "a query", "block": "a block of once()"}.get(self.place, "code that runs outside of it")
        raise NotDurable(f"{what} of a workflow is called in {inside}", where=place_here() or self.where)

    def leave(self, error: BaseException) -> None:
        """Give the turn up with an error that the workflow must not catch."""
        self._broken = self._broken or error
        raise Left

    def _compare(self, recorded: Sequence[Command], made: Command) -> None:
        index = len(self._did)
        known = recorded[index] if index < len(recorded) else None
        if known is None or not known.same(made):
            self.leave(self._divergence(difference(made.step, known, made), place_here()))

    def _divergence(self, text: str, place: str = "") -> Divergence:
        return Divergence(f"{text} ({place})" if place else text, where=f"{self.where}, run {self.number}")

    # Inputs -------------------------------------------------------------------------------------------------

    def start(self, entered: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        """The begin: run the handler until it waits."""
        self.main = self._part(entered())

    def open_turn(self, time: int, recorded: Sequence[Command] | None = None) -> None:
        """A turn begins. With ``recorded`` it is repeated."""
        self.time, self._recorded, self._did, self._broken = time, recorded, [], None
        self._spent = []

    def takes(self, came: Input) -> bool:
        """Whether an input still has something to end: not a late reply, nor the timer of what is over."""
        if came.came in ("reply", "timer"):
            return came.step in self._open or self._sleeping(came.step) is not None
        return came.came != "cancel" or not self.cancelled

    def apply(self, came: Input) -> None:
        """What a reply, timer or cancellation does. The handlers of signals are called by who knows them."""
        if came.came == "cancel":
            self.cancelled = True
            if self.main is not None:
                self.main.cancel()
            return
        step = self._open.pop(came.step, None) or self._sleeping(came.step)
        self._sleeps.pop(came.step, None)
        if came.came == "timer":
            self._timers.pop(came.step, None)
        if step is None:  # it was let go of sooner than when this was recorded
            return
        if came.came == "reply":
            self._spend(came.step)
            value, error = ended_request(came, step, self.where)
            step.end(value, error)
        elif step.command is not None and step.command.what == "request":
            what = f"no reply to {step.command} came in time"
            step.end(error=RequestTimeout(what, where=self.where))
        else:
            self._conditions = [each for each in self._conditions if each[1] is not step]
            step.end(False if step.command is not None and step.command.what == "wait" else None)

    def go_on(self, parts: Iterable[Part | Several]) -> None:
        self._ready.extend(parts)

    def enter(self, code: Callable[[], Any]) -> None:
        """Run code of the workflow.

        :raises BaseException: the turn cannot be gone on with.
        """
        self.place = "code"
        try:
            code()
        except Left:
            pass
        finally:
            self.place = ""
        if self._broken is not None:
            raise self._broken

    def run(self) -> None:
        """Let all go on that can, until everything waits or the handler has ended."""
        while self._ready or self._look():
            while self._ready and not self.ended:
                self._ready.popleft().go()
            if self.ended:
                self._ready.clear()
                return

    def _look(self) -> bool:
        """End the waits whose condition has become true."""
        for each in list(self._conditions):
            condition, step = each
            if step.done or condition():
                self._conditions.remove(each)
                number = step.command.step if step.command is not None else 0
                self._open.pop(number, None)
                self._spend(number)
                step.end(True)
        return bool(self._ready)

    # Blocks that are done once ------------------------------------------------------------------------------

    def next_block(self) -> Block | None:
        """The next block to carry out before the turn is over."""
        if not self._blocks or self.ended:
            return None
        block = self._blocks.popleft()
        self.effect = f"{self.seed}/{block.step.command.step if block.step.command else 0}"
        return block

    def carried_out(self, block: Block, value: msgspec.Raw, error: str = "", text: str = "") -> None:
        """A block has its result."""
        command = block.step.command
        assert command is not None
        index = command.step - self._did[0].step
        self._did[index] = msgspec.structs.replace(command, value=value, error=error, text=text)
        if command.hidden:
            self.hidden.append((bytes(value), command.hidden))
        if error:
            fault = EffectFailed(text or error, where=self.where, error_type=error)
            block.step.end(error=fault)
        else:
            block.step.end(value_of(value, block.kind))

    def recall(self, block: Block) -> None:
        """The same for one that history has the result of."""
        assert self._recorded is not None and block.step.command is not None
        known = self._recorded[block.step.command.step - self._did[0].step]
        self.carried_out(block, known.value, known.error, known.text)

    # The end of a turn --------------------------------------------------------------------------------------

    @property
    def ended(self) -> bool:
        return self.main is not None and self.main.done

    @property
    def end(self) -> End:
        """How the run has ended.

        :raises BaseException: by a mistake in its code, which does not count as an end.
        """
        if self.main is None or not self.main.done:
            return ""
        error = self.main.error
        if error is None:
            return "done"
        if isinstance(error, Continue):
            return "continued"
        if isinstance(error, WorkflowCancelled):
            return "cancelled"
        if isinstance(error, DECLARED):
            return "failed"
        raise error

    @property
    def due(self) -> int:
        """When the next of its timers is due, nanoseconds since 1970; 0 for none."""
        return min(self._timers.values(), default=0)

    def _sleeping(self, step: int) -> Step[Any] | None:
        """A sleep that the code still has."""
        held = self._sleeps.get(step)
        return held() if held is not None else None

    def _spend(self, step: int) -> None:
        """Nothing waits for the timer of a step any more."""
        due = self._timers.pop(step, 0)
        if due:
            self._spent.append((step, due))

    def spent(self) -> list[tuple[int, int]]:
        """Step and time of each timer that is not needed any more since this turn."""
        for step in list(self._timers):
            if self.ended or not (step in self._open or self._sleeping(step) is not None):
                self._sleeps.pop(step, None)
                self._spend(step)
        return self._spent

    def close_turn(self, came: Input) -> Entry:
        """The turn as history keeps it."""
        entry = Entry(v=VERSION, input=came, did=tuple(self._did), end=self.end)
        self.turns += 1
        return entry

    def compare_end(self, entry: Entry) -> None:
        """See that a repeated turn came as far as history has it.

        :raises Divergence: it did not.
        """
        place = self.main.place() if self.main is not None else ""
        made, now = len(self._did), {"": "waits", "continued": "continues as new"}.get(self.end, "ends")
        if made < len(entry.did):
            known = entry.did[made]
            raise self._divergence(difference(known.step, known, now), place)
        if self.end != entry.end:
            had = f"the end of the run, {entry.end}," if entry.end else "that it waits"
            raise self._divergence(f"behind step {self._calls}: history has {had} and the code now {now}", place)
        self.spent()
        self.turns += 1
        self._recorded = None

    def close(self) -> None:
        """Forget the run in memory. Its code gets no chance to do anything."""
        self.place = "closed"
        for part in self._parts:
            part.close()
