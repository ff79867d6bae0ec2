"""The conversation that is killed: callbacks of every kind, in threads, with attributes of several types."""

from __future__ import annotations

from dataclasses import dataclass, field

from junctor import Flow, Target, handler
from junctor.errors import RequestError
from junctor.services.conversation import Conversation, on_complete, on_failure, on_reply, on_timer
from tests.crash.runs.drivers.parts import (
    FIRST,
    LAST,
    OFTEN,
    PATIENT,
    WAIT,
    Ask,
    Done,
    Given,
    Note,
    Order,
    Sink,
    around,
    mark,
    trip,
)


@dataclass
class Basket:
    """Replies as they came, by step; each callback leaves a line."""

    told: dict[str, str] = field(default_factory=dict)
    callbacks: int = 0


@dataclass(frozen=True)
class Part:
    id: str


@dataclass(frozen=True)
class Approved:
    id: str
    by: str


class Talk(Conversation):
    """Asks three, waits for a timer and for a message of its key, asks another conversation, and answers."""

    desk: Target[Ask, Given]
    sink: Target[Note]
    parts: Target[Part, Done]
    basket: Basket = Basket()
    order: Order | None = None

    @handler(key="id")
    def on_order(self, order: Order) -> Done:  # type: ignore[empty-body]
        self.order = order
        self.basket.callbacks += 1
        for step in (FIRST, "left", "right"):
            self.desk.ask(Ask(order.id, step, order.mode), name=step)
        self.sink.send(Note(order.id, "middle"))

    @on_reply
    def on_given(self, given: Given) -> None:
        self.basket.callbacks += 1
        step = given.text.partition(" ")[0]
        assert step not in self.basket.told, f"{step} came twice"
        self.basket.told[step] = given.text
        if step == FIRST:
            self.timer(WAIT, name="pause")
        self._close()

    @on_timer("pause")
    def on_pause(self) -> None:
        assert self.order is not None
        self.basket.callbacks += 1
        self.basket.told["pause"] = "over"
        self.desk.ask(Ask(self.order.id, LAST, self.order.mode), name=LAST)
        self.parts.ask(Part(self.order.id), name="part")

    @on_reply("part")
    def on_part(self, part: Done) -> None:
        self.basket.callbacks += 1
        self.basket.told["part"] = part.text
        trip()
        self._close()

    @on_failure(LAST)
    def on_refused(self, error: RequestError) -> None:
        assert self.order is not None
        self.basket.callbacks += 1
        self.basket.told[LAST] = "refused"
        for step in (FIRST, "left", "right"):
            self.desk.ask(Ask(self.order.id, f"undo-{step}"), name=f"undo-{step}")

    @handler(key="id", begins=False)
    def on_approved(self, approved: Approved) -> None:
        self.basket.callbacks += 1
        self.basket.told["approved"] = approved.by
        self._close()

    def _close(self) -> None:
        assert self.order is not None
        told = self.basket.told
        if not {LAST, "part", "approved"} <= told.keys() or self.conversation.waiting or self.conversation.timers:
            return
        text = ", ".join(told[step] for step in sorted(told))
        self.reply(Done(self.order.id, f"{self.basket.callbacks}: {text}"))
        self.sink.send(Note(self.order.id, "end"))
        self.end()


class Parts(Conversation):
    """What the other one asks; it counts replies and answers when all are there."""

    desk: Target[Ask, Given]
    told: list[str] = []
    id: str = ""

    @handler(key="id")
    async def on_part(self, part: Part) -> Done:  # type: ignore[empty-body]
        self.id = part.id
        for step in ("near", "far"):
            self.desk.ask(Ask(part.id, step), name=step)

    @on_reply
    async def on_given(self, given: Given) -> None:
        self.told.append(given.text)

    @on_complete
    async def on_all(self) -> Done:
        return Done(self.id, " and ".join(sorted(self.told)))


class Approver(Sink):
    """Approves what is in the middle of its work."""

    @handler
    async def on_note(self, note: Note) -> None:
        mark(self, note.id, note.step)
        if note.step == "middle":
            await self.target("work", Approved).send(Approved(note.id, f"chief of {note.id}"))


def talk() -> Flow:
    flow = around(Flow("runs"), sink=Approver())
    flow.add(Talk(), name="work", retry=PATIENT)
    return flow.add(Parts(), retry=OFTEN)
