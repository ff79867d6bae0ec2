"""How messages of services of this dialect look to operators."""

from __future__ import annotations

from junctor import Flow, RetryPolicy
from junctor.dialects.microservicebus import CustomService, QueueMessage
from junctor.node.views.messages import label_of, listed
from junctor.node.views.parked import groups_of
from junctor.transports.base import Query
from tests.integration.adapters.mqtt.flows import comes


class Sender(CustomService):
    async def Start(self) -> None:
        await self.SubmitMessage({"n": 1})
        await self.SubmitAction("taker", "Fail", {"n": 1})


class Taker(CustomService):
    async def Fail(self, message: QueueMessage) -> None:
        raise ValueError("no")


async def test_messages_are_called_by_their_actions() -> None:
    flow = Flow("shown").add(Sender, name="sender").add(Taker, name="taker", retry=RetryPolicy(attempts=1))
    async with flow.running(transport="memory") as node:
        await comes(lambda: [group.label for group in groups_of(node.archive)] == ["Fail"])
        await comes(lambda: {one.label for one in listed(node.archive, Query())} == {"_sendEvent", "Fail"})


def test_a_type_that_says_something_is_shown() -> None:
    told = {
        ("Reading", "Process"): "Reading",
        ("any", ""): "any",
        ("any", "Check"): "Check",
        ("dict[str, any] | None", "Check"): "Check",
        ("Company", "Check"): "Company",
    }
    assert {given: label_of(*given) for given in told} == told
