"""The names of versions 2 and 3: each hook may be written either way, each call has both names."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import pytest

from junctor.dialects.iop import Message
from junctor.dialects.iop.components import adapter_type, camel, started, stopped


@dataclass
class Order(Message):
    number: int = 0


class Process(camel.CamelProcess):
    def OnInit(self) -> None:
        self.calls = ["init"]

    def OnConnected(self) -> None:
        self.connected = True

    def OnTearDown(self) -> None:
        self.calls.append("end")

    def OnRequest(self, request: Any) -> Any:
        return ("request", request)

    def OnResponse(self, request, response, callRequest, callResponse, completionKey) -> Any:  # type: ignore[no-untyped-def, override]
        return (callRequest, callResponse, completionKey)

    def OnComplete(self, request: Any, response: Any) -> Any:
        return ("complete", response)


def test_hooks_in_camel_case() -> None:
    process = Process()
    started(process)
    stopped(process)
    assert (process.calls, process.connected) == (["init", "end"], True)
    assert process.on_message(1) == ("request", 1)
    assert process.on_response(1, 2, 3, 4, "5") == (3, 4, "5")
    assert process.on_complete(1, 2) == ("complete", 2)


def test_a_hook_in_snake_case_goes_before() -> None:
    class Both(camel.CamelOperation):
        def on_message(self, request: Any) -> Any:
            return "snake"

        def OnMessage(self, request: Any) -> Any:
            return "camel"

    assert Both().on_message(1) == "snake"
    assert camel.CamelOperation().on_message(1) is None


def test_services_and_adapters() -> None:
    class Service(camel.CamelService):
        def getAdapterType() -> str:  # type: ignore[misc, override]
            return "Ens.InboundAdapter"

        def OnProcessInput(self) -> Any:  # type: ignore[override]
            return "input"

    class WithInput(camel.CamelService):
        def OnProcessInput(self, message_input: Any = None) -> Any:
            return message_input

    class Adapter(camel.CamelInboundAdapter):
        def OnTask(self) -> Any:
            return "task"

    assert (Service().on_process_input(), WithInput().on_process_input(5), Adapter().on_task()) == ("input", 5, "task")
    assert (adapter_type(Service), adapter_type(WithInput)) == ("Ens.InboundAdapter", None)


def test_logs_say_who_called(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    operation = camel.CamelOperation()
    operation.LOGINFO("i")
    operation.LOGWARNING("w")
    operation.LOGERROR("e")
    operation.LOGALERT("a")
    operation.LOGASSERT("s")
    said: list[Any] = caplog.records
    assert [line.event for line in said] == ["Info", "Warning", "Error", "Alert", "Assert"]
    assert {line.source_method for line in said} == {"test_logs_say_who_called"}


def test_calls_reach_the_door() -> None:
    for call in (
        lambda: Process().SendRequestSync("A", Order(), 5),
        lambda: Process().SendRequestAsync("A", Order(), completionKey="1", responseRequired=True),
        lambda: camel.CamelOperation().SendRequestAsync("A", Order(), "description"),
    ):
        with pytest.raises(RuntimeError, match="cannot send to 'A'"):
            call()
    for later in (lambda: Process().SetTimer("PT5S", "key"), lambda: Process().Reply(Order())):
        with pytest.raises(RuntimeError, match="no node runs it"):
            later()


def test_connections_that_a_class_tells() -> None:
    class Telling(camel.CamelOperation):
        @staticmethod
        def OnGetConnections() -> list[str]:
            return ["A", "B"]

        def OnMessage(self, request: Any) -> Any:
            return self.SendRequestSync("C", request)

    class Silent(Telling):
        OnGetConnections = None  # type: ignore[assignment]

    assert Telling().on_get_connections() == ["A", "B"]
    assert Silent().on_get_connections() == ["C"]
