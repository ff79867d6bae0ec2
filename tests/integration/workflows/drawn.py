"""Workflows that are drawn by chance, as source, and the changes that somebody makes to their code."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from junctor import Service, handler

HEAD = """\
from junctor import Target, Workflow, handler
from tests.integration.workflows.drawn import Done, Job, Task


def pack_it() -> int:
    return 7


def weigh_it() -> int:
    return 8


"""

CLASS = """\
class Drawn(Workflow):
    left: Target[Task, Done]
    right: Target[Task, Done]

    @handler
    async def on_job(self, job: Job) -> Done:
        {lines}
        return Done(job.number)
"""


@dataclass(frozen=True)
class Job:
    number: int


@dataclass(frozen=True)
class Task:
    number: int
    what: str


@dataclass(frozen=True)
class Done:
    number: int


class Worker(Service):
    @handler
    async def on_task(self, task: Task) -> Done:
        return Done(task.number)


SIDES = ("left", "right")
WORDS = ("pack", "weigh", "label", "ship", "bill")
HOURS = (1, 2, 3, 5, 8)


class Op(msgspec.Struct, frozen=True):
    """A statement of a workflow: ``kind`` with its arguments."""

    kind: str
    side: str = ""
    what: str = ""
    hours: int = 0

    @property
    def line(self) -> str:
        task = f'Task(job.number, "{self.what}")'
        match self.kind:
            case "request":
                return f"await self.{self.side}.request({task})"
            case "send":
                return f"await self.{self.side}.send({task})"
            case "sleep":
                return f'await self.sleep("{self.hours}h")'
            case "wait":
                return f'await self.wait(lambda: False, timeout="{self.hours}h")'
            case "once":
                return f"await self.once({self.what})"
            case "both":
                asked = ", ".join(f"self.{side}.request({task})" for side in SIDES)
                return f"await self.gather({asked})"
            case "loop":
                return f"for number in range({self.hours}): await self.{self.side}.send(Task(number, '{self.what}'))"
        return self.what  # of no effect on the history

    @property
    def tokens(self) -> tuple[str, ...]:
        """What a history has of it: its calls, and that it waits behind them."""
        match self.kind:
            case "request":
                return (f"request {self.side} {self.what}", "waits")
            case "send":
                return (f"send {self.side} {self.what}",)
            case "sleep" | "wait":
                return (f"{self.kind} {self.hours}", "waits")
            case "once":
                return (f"once {self.what}",)
            case "both":
                return (*(f"request {side} {self.what}" for side in SIDES), "waits")
            case "loop":
                return tuple(f"send {self.side} {self.what} {number}" for number in range(self.hours))
        return ()


def draw_op(chance: random.Random) -> Op:
    kind = chance.choice(("request", "request", "send", "sleep", "wait", "once", "both", "loop", "none"))
    side, what, hours = chance.choice(SIDES), chance.choice(WORDS), chance.choice(HOURS)
    match kind:
        case "request" | "send":
            return Op(kind, side, what)
        case "sleep" | "wait":
            return Op(kind, hours=hours)
        case "once":
            return Op(kind, what=chance.choice(("pack_it", "weigh_it")))
        case "both":
            return Op(kind, what=what)
        case "loop":
            return Op(kind, side, what, chance.randint(0, 3))
    return draw_neutral(chance)


def draw_neutral(chance: random.Random) -> Op:
    """A statement that a replay cannot see."""
    text = chance.choice(("pass", "total = job.number * 2", 'self.log.info("here")', "self.stage = 7", "self.now()"))
    return Op("none", what=text)


def draw(chance: random.Random) -> list[Op]:
    return [draw_op(chance) for _ in range(chance.randint(2, 9))]


def tokens_of(ops: list[Op]) -> list[str]:
    return [token for op in ops for token in op.tokens] + ["ends"]


def changed(ops: list[Op], chance: random.Random) -> Iterator[tuple[str, list[Op]]]:
    """The same workflow after each kind of change."""
    at = chance.randrange(len(ops))
    yield "added", [*ops[:at], draw_op(chance), *ops[at:]]
    yield "removed", [*ops[:at], *ops[at + 1 :]]
    if len(ops) > 1:
        at = chance.randrange(len(ops) - 1)
        yield "swapped", [*ops[:at], ops[at + 1], ops[at], *ops[at + 2 :]]
    yield "another", [*ops[:at], draw_op(chance), *ops[at + 1 :]]
    yield "argument", [*ops[:at], _other_argument(ops[at], chance), *ops[at + 1 :]]
    yield "neutral", [*ops[:at], draw_neutral(chance), *ops[at:], draw_neutral(chance)]
    yield "same", ops


def _other_argument(op: Op, chance: random.Random) -> Op:
    if op.kind in ("request", "send"):
        if chance.random() < 0.5:
            return msgspec.structs.replace(op, side=SIDES[op.side == SIDES[0]])
        return msgspec.structs.replace(op, what=chance.choice(WORDS))
    if op.kind in ("sleep", "wait", "loop"):
        return msgspec.structs.replace(op, hours=chance.choice(HOURS))
    return op


def source_of(ops: list[Op]) -> str:
    """A module with this workflow."""
    return HEAD + CLASS.format(lines="\n        ".join(op.line for op in ops))
