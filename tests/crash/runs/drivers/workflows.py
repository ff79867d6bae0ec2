"""The workflow that is killed: ten steps of every kind, and the way back where the last one is refused."""

from __future__ import annotations

from dataclasses import dataclass

from junctor import Flow, Service, Target, Workflow, handler, signal
from junctor.errors import RequestFailed
from tests.crash.runs.drivers.parts import (
    FIRST,
    LAST,
    OFTEN,
    OUTSIDE,
    PATIENT,
    WAIT,
    Approval,
    Ask,
    Done,
    Given,
    Note,
    Order,
    around,
    late,
    mark,
    trip,
)


@dataclass(frozen=True)
class Part:
    id: str


class Steps(Workflow):
    desk: Target[Ask, Given]
    sink: Target[Note]
    parts: Target[Part, Done]
    approved: str = ""

    @handler(key="id")
    async def on_order(self, order: Order) -> Done:
        first = await self.ask(order, FIRST)
        await self.sleep(WAIT)
        await self.sink.send(Note(order.id, "middle"))
        call = await self.once(lambda: call_outside(order.id, self.effect), str)
        beside = await self.gather(self.ask(order, "left"), self.ask(order, "right"))
        trip()
        part = await self.parts.request(Part(f"{order.id}.part"))
        await self.wait(lambda: self.approved)
        try:
            last = await self.ask(order, LAST)
        except RequestFailed:
            return await self.back(order)
        await self.sink.send(Note(order.id, "end"))
        told = [first.text, call, *(each.text for each in beside), part.text, self.approved, last.text]
        return Done(order.id, ", ".join(told))

    def ask(self, order: Order, step: str) -> Given:
        return self.desk.request(Ask(order.id, step, order.mode))  # type: ignore[return-value]

    async def back(self, order: Order) -> Done:
        """Undo in reverse order."""
        for step in ("right", "left", FIRST):
            await self.desk.request(Ask(order.id, f"undo-{step}"))
            await self.sleep(WAIT)
        await self.sink.send(Note(order.id, "undone"))
        return Done(order.id, "undone")

    @signal
    def approve(self, approval: Approval) -> None:
        self.approved = approval.by


class Parts(Workflow):
    """What the other one asks as a child: it sleeps and answers."""

    @handler(key="id")
    async def on_part(self, part: Part) -> Done:
        await self.sleep(WAIT)
        return Done(part.id, f"{part.id} made")


class Approver(Service):
    """Approves what is in the middle of its work."""

    @handler
    async def on_note(self, note: Note) -> None:
        mark(self, note.id, note.step)
        await late()
        if note.step == "middle":
            work = self.target("work", Approval, handler="approve")
            await work.send(Approval(f"chief of {note.id}"), key=note.id)


def call_outside(id: str, effect: str) -> str:
    """A call of a system that counts one with the same key once: a line in a file."""
    with open(OUTSIDE, "a") as file:
        file.write(f"{id} {effect}\n")
    return "called"


def steps() -> Flow:
    flow = around(Flow("runs"), sink=Approver())
    flow.add(Steps(), name="work", retry=PATIENT)
    return flow.add(Parts(), retry=OFTEN)
