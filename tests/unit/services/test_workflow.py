"""What a workflow class may declare, and what it is told where it may not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from junctor import Service, Workflow, action, every, get, handler, query, signal
from junctor.core.run import CANCEL, REPLIED, RUN_KEY, WOKEN
from junctor.errors import ConfigurationError
from junctor.services import spec_of


@dataclass(frozen=True)
class Order:
    id: int


class Ordering(Workflow):
    """Takes orders."""

    @handler(key="id")
    async def run(self, order: Order) -> str:
        return str(order.id)

    @signal
    def stop(self, reason: str) -> None: ...

    @query
    def stage(self, deep: bool = False) -> str:
        """Where it is."""
        return "begun"


def test_the_spec_of_a_workflow() -> None:
    spec = spec_of(Ordering)
    assert (spec.runs, spec.doc, spec.name) == ("workflow", "Takes orders.", "ordering")
    assert [(entry.name, entry.accepts, entry.replies) for entry in spec.handlers] == [
        ("run", Order, str),
        ("stop", str, None),
    ]
    assert [entry.name for entry in spec.inner] == [REPLIED, WOKEN, CANCEL]
    assert [(entry.name, entry.doc) for entry in spec.actions] == [("stage", "Where it is.")]
    assert (spec.policies.pool.key, spec.policies.pool.size) == (RUN_KEY, 16)
    assert spec.main is None


def refused(cls: type[Service]) -> str:
    with pytest.raises(ConfigurationError) as caught:
        spec_of(cls)
    return str(caught.value)


class Begin(Workflow):
    @handler
    async def run(self, order: Order) -> None: ...


class Loops(Begin):
    async def loop(self) -> None: ...


class Starts(Begin):
    def on_start(self) -> None: ...


class Ticks(Begin):
    @every("1s")
    async def tick(self) -> None: ...


class Serves(Begin):
    @get("/orders")
    async def orders(self) -> None: ...


class Acts(Begin):
    @action
    async def act(self) -> None: ...


class Keeps(Begin):
    @signal
    def keep(self, text: str) -> None:
        self.state["text"] = text


class Blocks(Workflow):
    @handler
    def run(self, order: Order) -> None: ...


class Takes(Workflow):
    @handler
    async def run(self, order: Any) -> None: ...


class Waits(Begin):
    @signal
    async def wait_for(self, text: str) -> None: ...


class Asks(Begin):
    @query
    async def ask(self) -> None: ...


class Names(Begin):
    @query
    def ask(self, run: str) -> None: ...


class Nothing(Workflow):
    pass


class NoKey(Workflow):
    @handler(key="number")
    async def run(self, order: Order) -> None: ...


class Plain(Service):
    @handler
    async def run(self, order: Order) -> None: ...

    @signal
    def stop(self, reason: str) -> None: ...


@pytest.mark.parametrize(
    ("cls", "text"),
    [
        (Loops, "Loops: a workflow cannot have loop. Put it into a Service beside it"),
        (Starts, "a workflow cannot have on_start"),
        (Ticks, "a workflow cannot have @every or @cron"),
        (Serves, "a workflow cannot have a route"),
        (Acts, "a workflow cannot have an @action. Mark it @query"),
        (Keeps, "a workflow cannot have self.state. Use attributes"),
        (Blocks, "Blocks.run: a workflow is async. Write async def run"),
        (Takes, "Takes.run: the history of a workflow needs types, and Any is none"),
        (Waits, "a signal is no `async def`"),
        (Asks, "a query is no `async def`"),
        (Names, "the parameter `run` of a query is the run itself"),
        (Nothing, "a workflow needs a handler"),
        (NoKey, "Order has no field 'number', which is to be the key of the run"),
        (Plain, "@signal, @query and @handler(key=...) are for runs"),
    ],
)
def test_what_makes_no_sense_is_refused(cls: type[Service], text: str) -> None:
    assert text in refused(cls)


def test_names_of_a_run_are_taken() -> None:
    with pytest.raises(ConfigurationError, match='the name "uuid" is taken'):
        type("Wrong", (Workflow,), {"uuid": lambda self: None})
