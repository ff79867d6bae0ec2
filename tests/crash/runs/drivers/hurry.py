"""A workflow in a hurry: what it asks may be late, or expire in the queue, and each end comes once."""

from __future__ import annotations

from junctor import Flow, Target, Workflow, handler
from junctor.errors import RequestExpired, RequestFailed, RequestTimeout
from tests.crash.runs.drivers.parts import OFTEN, WAIT, Ask, Done, Given, Note, Order, around

ASKED = 4
"""Requests of one run."""


class Hurry(Workflow):
    """Asks one after the other with little patience, and two beside each other."""

    desk: Target[Ask, Given]
    sink: Target[Note]

    @handler(key="id")
    async def on_order(self, order: Order) -> Done:
        ends = [await self.end(order, step) for step in range(ASKED - 2)]
        ends += await self.gather(*(self.end(order, step) for step in range(ASKED - 2, ASKED)))
        for step, end in enumerate(ends):
            await self.sink.send(Note(order.id, f"{step}"))
            self.log.debug("%s ended %s", step, end)
        return Done(order.id, f"{len(ends)} ends")

    async def end(self, order: Order, step: int) -> str:
        try:
            return (await self.desk.request(Ask(order.id, f"step-{step}"), timeout=WAIT)).text
        except (RequestTimeout, RequestExpired, RequestFailed) as error:
            return type(error).__name__


def hurry() -> Flow:
    return around(Flow("runs")).add(Hurry(), name="work", retry=OFTEN)
