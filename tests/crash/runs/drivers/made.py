"""A durable service made by hand on the contract of the engine alone: what the crash campaigns of the engine run.

Its run asks, tells, sleeps, asks again and ends: six turns. A second one, ``outer``, asks it and ends with what it
ends with, so that the end of a deferred request is the turn of another run.
"""

from __future__ import annotations

import json
from typing import Any

from junctor import Flow
from junctor.clock import SECOND
from junctor.core.outcome import Answer, Failure, Reply
from junctor.core.policy import Policies, PoolPolicy
from junctor.core.run import REPLIED, RUN_KEY, WOKEN, Asker, Run, RunStatus, RunWrite
from junctor.core.spec import HandlerSpec, ServiceSpec
from junctor.messages import ANSWERS, ENDED, Message
from tests.crash.runs.drivers.parts import FIRST, LAST, OFTEN, WAIT, Ask, Done, Given, Note, Order, around


class Director:
    """The deliveries of all runs of one service."""

    def __init__(self, port: Any, outer: bool) -> None:
        self.port = port
        self.outer = outer

    async def begin(self, order: Order) -> None:
        message = self.port.message()
        if self.outer:
            self.ask("inner", order, message, message.seq, 1)
        else:
            self.ask("desk", Ask(order.id, FIRST, order.mode), message, message.seq, 1)
        data = json.dumps({"begin": order.id, "mode": order.mode}).encode()
        self.port.runs.write(
            RunWrite(
                message.seq,
                message.target,
                0,
                handler="begin",
                key=order.id,
                data=data,
                delivered=message.seq,
                time=self.port.time_ns(),
                asker=message.headers.get("junctor-asker", ""),
                session=message.session,
            )
        )
        self.port.runs.defer()

    async def replied(self, body: Any) -> None:
        message = self.port.message()
        step, ended = int(message.headers[ANSWERS]), message.headers[ENDED]
        run = self.entered(message)
        if not run.is_open:
            return
        if self.outer:
            self.end(run, message, body, ended)
        elif step == 1:
            self.port.send(self.port.link_to("sink", Note, None), Note(run.key or "", "middle"))
            self.port.runs.wake(run.seq, 2, self.port.time_ns() + int(WAIT * SECOND))
            self.turn(run, message, {"first": body.text})
        else:
            self.end(run, message, body, ended)

    async def woken(self, body: Any) -> None:
        message = self.port.message()
        run = self.entered(message)
        begun = json.loads(self.port.runs.turns(run.seq)[0].data)
        self.ask("desk", Ask(begun["begin"], LAST, begun["mode"]), message, run.seq, 3)
        self.turn(run, message, {"woken": 2})

    def ask(self, target: str, body: Any, message: Message, run: int, step: int) -> None:
        link = self.port.link_to(target, type(body), Done if isinstance(body, Order) else Given)
        self.port.runs.ask(link, body, Asker(message.target, run, step))

    def entered(self, message: Message) -> Run:
        run: Run | None = self.port.runs.find(int(message.key or ""))
        assert run is not None, f"run {message.key} is unknown"
        turns = self.port.runs.turns(run.seq)
        assert [turn.number for turn in turns] == list(range(1, run.turns + 1)), f"{run} has {turns}"
        self.port.runs.enter(run)
        return run

    def turn(self, run: Run, message: Message, data: Any, status: RunStatus = RunStatus.OPEN) -> None:
        self.port.runs.write(
            RunWrite(
                run.seq,
                run.service,
                run.turns,
                status,
                data=json.dumps(data).encode(),
                delivered=message.seq,
                time=self.port.time_ns(),
            )
        )

    def end(self, run: Run, message: Message, body: Any, ended: str) -> None:
        if ended != "done":
            failure = Failure(body["type"], body["text"])
            self.turn(run, message, {"ended": ended}, RunStatus.FAILED)
            self.port.runs.answer(Answer(run.seq, run.session, failure=failure, asker=run.asker))
            return
        self.turn(run, message, {"last": body.text}, RunStatus.DONE)
        reply = Reply("Done", json.dumps({"id": run.key, "text": body.text}).encode())
        self.port.runs.answer(Answer(run.seq, run.session, reply, asker=run.asker))


def durable(name: str, outer: bool) -> ServiceSpec:
    return ServiceSpec(
        name=name,
        build=lambda context: Director(context.port, outer),
        handlers=(HandlerSpec(name="begin", accepts=Order, replies=Done, bind=lambda director: director.begin),),
        inner=(
            HandlerSpec(name=REPLIED, accepts=Any, bind=lambda director: director.replied),
            HandlerSpec(name=WOKEN, accepts=Any, bind=lambda director: director.woken),
        ),
        runs="workflow",
        policies=Policies(pool=PoolPolicy(size=8, key=RUN_KEY)),
    )


def made() -> Flow:
    flow = around(Flow("runs"))
    flow.add(durable("work", outer=True), retry=OFTEN)
    return flow.add(durable("inner", outer=False), retry=OFTEN)
