"""What components send to each other in a node: replies, errors, time-outs, several at once, native services."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pydantic
import pytest

from junctor import Flow, Service, handler
from junctor.core.lifecycle import State
from junctor.dialects.iop import BusinessOperation, BusinessProcess, DuplexOperation, Message, target
from junctor.dialects.iop.messages import SerializationError, UntypedMessage
from junctor.errors import RequestFailed, UnknownTarget


@dataclass
class Order(Message):
    number: int = 0
    note: Any = None


@dataclass
class Receipt(Message):
    text: str = ""


class Slip(pydantic.BaseModel):
    number: int = 0


@dataclass
class Weight:
    grams: float


OPEN = threading.Event()


class Ledger(BusinessOperation):
    def on_init(self) -> None:
        OPEN.clear()

    def on_order(self, order: Order) -> Any:
        if order.number == 404:
            raise KeyError("no such order")
        if order.number == 999:
            OPEN.wait(5)
        return Receipt(f"{order.number} {getattr(order, 'extra', '')} {order.get_iris_id() is not None}")

    def on_slip(self, slip: Slip) -> Any:
        return None if slip.number == 0 else slip

    def on_message(self, request: Any) -> Any:
        return ""


class Scale(Service):
    """Native."""

    @handler
    def on_order(self, order: Order) -> Weight:
        return Weight(order.number * 2.0)


class Asker(BusinessOperation):
    Output = target("Python.Ledger")

    def on_message(self, request: Any) -> Any:
        try:
            FOUND.append(TO_DO[0](self))
        except BaseException as error:
            FOUND.append(error)
        return None


TO_DO: list[Callable[[Any], Any]] = []
FOUND: list[Any] = []


async def asked(do: Callable[[Any], Any]) -> Any:
    """What a component gets that does this in its handler."""
    TO_DO[:], FOUND[:] = [do], []
    async with Flow("shop").add(Asker).add(Ledger).add(Scale).running(transport="memory") as node:
        await node.target("python-asker", Any, Any).request("", timeout=10)
        OPEN.set()
    (found,) = FOUND
    return found


async def test_a_reply_and_attributes_that_are_no_fields() -> None:
    order = Order(7)
    order.extra = "gift"  # type: ignore[attr-defined]
    assert await asked(lambda host: host.send_request_sync("Python.Ledger", order)) == Receipt("7 gift True")


async def test_by_a_target_setting() -> None:
    assert await asked(lambda host: host.send_request_sync(host.Output, Order(1))) == Receipt("1  True")


@pytest.mark.parametrize(("body", "reply"), [(Slip(number=5), Slip(number=5)), (Slip(), None), ("", ""), (None, "")])
async def test_models_and_empty_replies(body: Any, reply: Any) -> None:
    def ask(host: Any) -> Any:
        return host.send_request_sync("Python.Ledger", body), host.timed_out

    assert await asked(ask) == (reply, False)


async def test_a_request_is_a_copy() -> None:
    order = Order(1, ["a"])

    def ask(host: Any) -> Any:
        host.send_request_sync("Python.Ledger", order)
        return vars(order)

    assert await asked(ask) == {"number": 1, "note": ["a"]}


async def test_the_failure_of_the_other_is_a_runtime_error_with_its_text() -> None:
    error = await asked(lambda host: host.send_request_sync("Python.Ledger", Order(404), 5))
    assert isinstance(error, RuntimeError)
    assert isinstance(error, RequestFailed)
    assert "no such order" in str(error)


@pytest.mark.parametrize("call", ["send_request_sync", "send_request_async"])
async def test_an_unknown_item_with_the_nearest(call: str) -> None:
    error = await asked(lambda host: getattr(host, call)("Python.Leger", Order()))
    assert isinstance(error, RuntimeError)
    assert isinstance(error, UnknownTarget)
    assert "Python.Leger" in str(error)
    assert "ledger" in str(error).lower()


async def test_what_has_no_json_form_with_its_path() -> None:
    error = await asked(lambda host: host.send_request_sync("Python.Ledger", Order(1, [object()])))
    assert isinstance(error, SerializationError)
    assert "Order.note[0]: object has no JSON form" in str(error)


async def test_a_time_out_can_be_told_from_an_empty_reply(caplog: pytest.LogCaptureFixture) -> None:
    def ask(host: Any) -> Any:
        late = host.send_request_sync("Python.Ledger", Order(999), 0.05), host.timed_out
        OPEN.set()
        return late, (host.send_request_sync("Python.Ledger", Slip()), host.timed_out)

    assert await asked(ask) == ((None, True), (None, False))
    (line,) = [line for line in caplog.records if getattr(line, "source_method", "") == "ask"]
    assert line.levelname == "WARNING"


@pytest.mark.parametrize("forever", [-1, -0.5, None, "5", float("inf"), 1e300, 10**400])
async def test_a_time_out_without_an_end(forever: Any) -> None:
    assert await asked(lambda host: host.send_request_sync("Python.Ledger", Order(1), forever)) == Receipt("1  True")


@pytest.mark.parametrize("wrong", ["soon", float("nan"), [5]])
async def test_a_time_out_that_is_no_number(wrong: Any) -> None:
    error = await asked(lambda host: host.send_request_sync("Python.Ledger", Order(1), wrong))
    assert isinstance(error, TypeError)
    assert "timeout is a number of seconds, or -1 for ever" in str(error)


async def test_a_description_that_is_no_text() -> None:
    error = await asked(lambda host: host.send_request_async("Python.Ledger", Order(1), True))
    assert isinstance(error, TypeError)
    assert "the description must be text or None; it is bool" in str(error)


async def test_several_at_once() -> None:
    def ask(host: Any) -> Any:
        bodies = [Order(1), Order(404), Order(999), Slip()]
        return host.send_multi_request_sync([("Python.Ledger", body) for body in bodies], 0.3)

    found = await asked(ask)
    assert [(name, request, response, status) for name, request, response, status in found] == [
        ("Python.Ledger", Order(1), Receipt("1  True"), 1),
        ("Python.Ledger", Order(404), None, 2),
        ("Python.Ledger", Order(999), None, 0),
        ("Python.Ledger", Slip(), None, 0),  # it waited behind the one before
    ]


async def test_with_asyncio_in_a_handler() -> None:
    async def gather(host: Any) -> Any:
        sends = [host.send_request_async_ng("Python.Ledger", Order(number)) for number in range(5)]
        return [reply.text.split()[0] for reply in await asyncio.gather(*sends)]

    assert await asked(lambda host: asyncio.run(gather(host))) == ["0", "1", "2", "3", "4"]


async def test_errors_with_asyncio() -> None:
    async def gather(host: Any) -> Any:
        sends = [host.send_request_async_ng("Python.Ledger", Order(number), 0.05) for number in (404, 999)]
        return await asyncio.gather(*sends, return_exceptions=True)

    failed, late = await asked(lambda host: asyncio.run(gather(host)))
    assert isinstance(failed, RuntimeError)
    assert "no such order" in str(failed)
    assert isinstance(late, TimeoutError)


async def test_a_native_service_answers() -> None:
    assert await asked(lambda host: host.send_request_sync("scale", Order(3))) == Weight(6.0)


async def test_a_reply_that_is_no_message_is_the_error_of_who_replies() -> None:
    class Wrong(BusinessProcess):
        def on_message(self, request: Any) -> Any:
            self.reply({"no": "message"})

    with pytest.raises(TypeError, match="the reply must be an object of a subclass of Message"):
        Wrong().on_message(None)
    assert UntypedMessage(a=1).a == 1


async def test_an_item_that_is_not_offered_yet_is_in_error_and_the_others_run() -> None:
    class Talk(DuplexOperation):
        pass

    async with Flow("shop").add(Ledger).add(Talk).running(transport="memory") as node:
        failed, works = (node.engine.hosts[f"shop/python-{name}"].lifecycle for name in ("talk", "ledger"))
        assert (failed.state, works.state) == (State.FAILED, State.RUNNING)
        assert "Talk is a DuplexOperation, which is not offered yet" in failed.reason
