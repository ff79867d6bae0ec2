"""Processes and operations of a project, as their users write them."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from junctor import Flow
from junctor.dialects.iop.components import BusinessOperation, BusinessProcess
from tests.unit.dialects.iop.process.parts import Ask, Cart, Colour, Got


class Echo(BusinessOperation):
    def on_message(self, request: Ask) -> Got:
        if request.text == "fail":
            raise ValueError(f"cannot do {request.number}")
        return Got(f"{request.text} {request.number}")


class Slow(BusinessProcess):
    """Answers after as many seconds as the number says."""

    def on_message(self, request: Ask) -> None:
        self.set_timer(request.number)

    def on_complete(self, request: Ask, response: Any) -> Got:
        return Got(f"{request.text} after {request.number}")


class Native(BusinessProcess):
    """The page's example of send_request_async."""

    def on_message(self, request):  # type: ignore[no-untyped-def]
        msg_one = Ask(text="Message1", number=1)
        msg_two = Ask(text="Message2", number=2)

        self.send_request_async("Python.Echo", msg_one, completion_key="1")
        self.send_request_async("Python.Echo", msg_two, completion_key="2")

    def on_response(self, request, response, call_request, call_response, completion_key):  # type: ignore[no-untyped-def]
        if completion_key == "1":
            self.response_one = call_response
        elif completion_key == "2":
            self.response_two = call_response

    def on_complete(self, request, response):  # type: ignore[no-untyped-def]
        self.log_info(f"Received response one: {self.response_one.text}")
        self.log_info(f"Received response two: {self.response_two.text}")


class Gathering(BusinessProcess):
    """The page's example of asyncio."""

    def on_message(self, request: Ask) -> None:
        results = asyncio.run(self.await_response(request))

        for result in results:
            self.log_info(f"Received response: {result.text}")

    async def await_response(self, request):  # type: ignore[no-untyped-def]
        tasks = [
            self.send_request_async_ng("Python.Echo", Ask(number=number, text="Message"))
            for number in range(request.number)
        ]
        return await asyncio.gather(*tasks)


class Multi(BusinessProcess):
    """The page's example of send_multi_request_sync."""

    def on_message(self, request):  # type: ignore[no-untyped-def]
        msg_one = Ask(text="Message1", number=1)
        msg_two = Ask(text="Message2", number=2)

        tuple_responses = self.send_multi_request_sync([("Python.Echo", msg_one), ("Python.Echo", msg_two)])

        self.log_info("All requests have been processed")
        for target, _request, response, status in tuple_responses:
            self.log_info(f"Received response: {response.text} {status} {target}")


class Collecting(BusinessProcess):
    """Keeps what it was told under names that nothing declares, and answers with all of it."""

    def on_init(self) -> None:
        self.seen: list[int] = []
        self.client = threading.Lock()

    def on_message(self, request: Ask) -> Got:
        self.first = request
        self.cart = Cart([request.number, (request.number,)], ("ann", request.number))
        self.colour = Colour.RED
        self.seen.append(request.number)
        for step in range(1, request.number % 4 + 2):
            self.send_request_async("Python.Slow", Ask(step, f"{request.number}"), completion_key=str(step))
        return Got("begun")

    def on_response(
        self, request: Ask, response: Got, call_request: Ask, call_response: Got, completion_key: str
    ) -> None:
        assert (request, self.cart.owner, self.colour) == (self.first, ("ann", request.number), Colour.RED)
        assert self.seen == [request.number, *range(1, len(self.seen))], self.seen
        assert (str(call_request.number), call_request.text) == (completion_key, str(request.number))
        self.client.acquire()
        self.client.release()
        self.seen.append(len(self.seen))
        setattr(self, f"response_{completion_key}", call_response)

    def on_complete(self, request: Ask, response: Got) -> Got:
        found = sorted(name for name in vars(self) if name.startswith("response_"))
        return Got(f"{response.text}: " + ", ".join(getattr(self, name).text for name in found), self.seen)


def wanted(number: int) -> Got:
    """What :class:`Collecting` answers."""
    steps = range(1, number % 4 + 2)
    return Got("begun: " + ", ".join(f"{number} after {step}" for step in steps), [number, *steps])


def project(*more: Any) -> Flow:
    """A flow of the parts that others ask, and some more."""
    flow = Flow("project").add(Echo).add(Slow, pool=16)
    for each in more:
        flow.add(each)
    return flow
