"""Components without a node: hooks, logs, adapters by name, what their code sends to."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import pytest

from junctor.dialects import iop
from junctor.dialects.iop import BusinessOperation, BusinessProcess, BusinessService, Message, target
from junctor.dialects.iop.components import OutsideNode, adapter_type, started, stopped
from junctor.dialects.iop.components.process import duration


@dataclass
class Order(Message):
    number: int = 0


class Recorded(BusinessOperation):
    def on_init(self) -> None:
        self.calls = ["init"]


def calls_at_the_end(cls: Any) -> list[str]:
    component = cls()
    started(component)
    stopped(component)
    return component.calls[1:]  # type: ignore[no-any-return]


# Hooks ---------------------------------------------------------------------------------------------------------


def test_a_constructor_is_warned_of_and_never_needed(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.warns(RuntimeWarning, match="has an __init__, which is never called") as told:

        class Made(BusinessOperation):
            def __init__(self) -> None:
                raise AssertionError("never")

    assert told[0].filename == __file__
    started(Made.__new__(Made))
    assert "Write it as on_init" in caplog.text


def test_hooks_at_the_start(caplog: pytest.LogCaptureFixture) -> None:
    class Connected(BusinessOperation):
        def on_connected(self) -> None:
            self.seen = True
            raise OSError("no line")

        def on_init(self) -> None:
            assert self.seen
            raise ValueError("no start")

    with pytest.raises(ValueError, match="no start"):
        started(Connected())
    assert "on_connected: OSError('no line')" in caplog.text


def test_both_spellings_of_the_end() -> None:
    class Both(Recorded):
        def on_tear_down(self) -> None:
            self.calls.append("tear_down")

        def on_teardown(self) -> None:
            self.calls.append("teardown")

    assert calls_at_the_end(Both) == ["tear_down", "teardown"]


def test_one_of_them_that_is_the_other_or_calls_it() -> None:
    class Same(Recorded):
        def on_tear_down(self) -> None:
            self.calls.append("once")

        on_teardown = on_tear_down

    class Calls(Recorded):
        def on_tear_down(self) -> None:
            self.on_teardown()

        def on_teardown(self) -> None:
            self.calls.append("once")

    class Only(Recorded):
        def on_teardown(self) -> None:
            self.calls.append("once")

    assert [calls_at_the_end(cls) for cls in (Same, Calls, Only)] == [["once"]] * 3


def test_an_end_that_fails_leaves_the_other_one() -> None:
    class Failing(Recorded):
        def on_tear_down(self) -> None:
            raise OSError("first")

        def on_teardown(self) -> None:
            self.calls.append("teardown")

    component = Failing()
    started(component)
    with pytest.raises(OSError, match="first"):
        stopped(component)
    assert component.calls == ["init", "teardown"]


@pytest.mark.parametrize("base", [iop.DuplexService, iop.DuplexOperation, iop.DuplexProcess])
def test_what_is_not_offered_yet_can_be_written_and_does_not_start(base: Any) -> None:
    made = type("Mine", (base,), {})
    with pytest.raises(NotImplementedError, match=f"Mine is a {base.__name__}, which is not offered yet"):
        started(made())


def test_the_default_of_each_hook() -> None:
    class Process(BusinessProcess):
        def on_request(self, request: Any) -> Any:
            return ("request", request)

    class Service(BusinessService):
        def on_message(self, request: Any = None) -> Any:
            return ("message", request)

    class Polling(iop.PollingBusinessService):
        def on_poll(self) -> Any:
            return "poll"

    class Old(iop.PollingBusinessService):
        def on_process_input(self, message_input: Any = None) -> Any:
            return "input"

    process = Process()
    assert process.on_message(1) == ("request", 1)
    assert (process.on_response(1, 2, 3, 4, "5"), process.on_complete(1, 2)) == (2, 2)
    assert Service().on_process_input(1) == ("message", 1)
    assert Polling().on_process_input() == "poll"
    assert (Old().on_poll(), iop.PollingBusinessService().on_poll()) == ("input", None)
    assert BusinessOperation().on_message(1) is None
    for adapter in (iop.InboundAdapter, iop.OutboundAdapter):
        assert adapter().business_host is None


# Adapters ------------------------------------------------------------------------------------------------------


class WithoutSelf(BusinessService):
    def get_adapter_type() -> str:  # type: ignore[misc, override]
        return "Ens.InboundAdapter"


class WithSelf(BusinessService):
    def get_adapter_type(self) -> str:  # type: ignore[override]
        return "Ens.InboundAdapter"


class WithCls(BusinessService):
    @classmethod
    def get_adapter_type(cls) -> str:  # type: ignore[override]
        return "Ens.InboundAdapter"


class Static(BusinessService):
    @staticmethod
    def get_adapter_type() -> str:
        return "Ens.InboundAdapter"


@pytest.mark.parametrize("cls", [WithoutSelf, WithSelf, WithCls, Static, iop.PollingBusinessService])
def test_the_adapter_however_it_is_written(cls: type) -> None:
    assert adapter_type(cls) == "Ens.InboundAdapter"
    assert cls is iop.PollingBusinessService or cls._get_info()[-1] == "Ens.InboundAdapter"  # type: ignore[attr-defined]


def test_no_adapter() -> None:
    assert adapter_type(BusinessService) is None
    assert adapter_type(BusinessProcess) is None


# Logs ----------------------------------------------------------------------------------------------------------


class Talking(BusinessOperation):
    def on_message(self, request: Any) -> None:
        self.trace("t")
        self.log_info("i %s")
        self.log_warning("w")
        self.log_error("e")
        self.log_alert("a")
        self.log_assert("s")


def test_lines_have_their_level_their_kind_and_who_said_them(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    Talking().on_message(None)
    said: list[Any] = caplog.records
    assert [(line.getMessage(), line.levelname, line.event) for line in said] == [
        ("t", "DEBUG", "Trace"),
        ("i %s", "INFO", "Info"),
        ("w", "WARNING", "Warning"),
        ("e", "ERROR", "Error"),
        ("a", "CRITICAL", "Alert"),
        ("s", "ERROR", "Assert"),
    ]
    assert {(line.source_class, line.source_method, line.funcName) for line in said} == {
        ("Talking", "on_message", "on_message")
    }


def test_the_logger_is_one_of_the_standard_library_and_can_be_replaced(caplog: pytest.LogCaptureFixture) -> None:
    component = Talking()
    component.logger.warning("plain %d", 5)
    component.logger = logging.getLogger("mine")
    component.log_warning("mine")
    assert [(line.name, line.getMessage()) for line in caplog.records] == [("iop", "plain 5"), ("mine", "mine")]


def test_to_the_console(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    component = Talking()
    component._door = OutsideNode("Demo.Talking")
    component.log_info("shown", to_console=True)
    component.log_to_console = True
    component.log_error("shown too")
    component.log_error("kept", to_console=False)
    assert capsys.readouterr().err == (
        "Info: Demo.Talking.test_to_the_console: shown\nError: Demo.Talking.test_to_the_console: shown too\n"
    )
    assert [line.getMessage() for line in caplog.records] == ["kept"]


# Sends, without a node -----------------------------------------------------------------------------------------


async def test_a_component_that_no_node_runs_says_so() -> None:
    component, process = Talking(), BusinessProcess()
    for send in (component.send_request_sync, component.send_request_async, process.send_request_async):
        with pytest.raises(RuntimeError, match="cannot send to 'A': no node runs it"):
            send("A", Order())
    with pytest.raises(RuntimeError, match="no node runs it"):
        await component.send_request_async_ng("A", Order())
    with pytest.raises(RuntimeError, match="cannot set a timer"):
        process.set_timer(5)
    with pytest.raises(RuntimeError, match="cannot reply"):
        process.reply(Order())


@pytest.mark.parametrize(
    ("given", "error", "text"),
    [
        ((), TypeError, "a list of"),
        ([], ValueError, "an empty list"),
        ([("A", Order(), 1)], TypeError, "item 0 of the list is no pair"),
        ([("A", Order()), "x"], TypeError, "item 1 of the list is no pair"),
        ([("A", 5)], TypeError, "it is int"),
        ([(5, Order())], TypeError, "a target is the name of an item, not int"),
    ],
)
def test_wrong_lists_of_requests(given: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        Talking().send_multi_request_sync(given)


def test_wrong_arguments_of_a_send() -> None:
    class Connected(BusinessOperation):
        Output = target()

    component: Any = Connected()
    for call in (component.send_request_sync, component.send_request_async):
        with pytest.raises(TypeError, match="it is str"):
            call("A", "text")
        with pytest.raises(RuntimeError, match="a target without a name: connect its setting"):
            call(component.Output, Order())
    with pytest.raises(RuntimeError, match=r"the target X\.Output is not connected"):
        component.send_request_sync(iop.TargetSettingRef("X", "Output"), Order())
    with pytest.raises(TypeError, match="timeout is a number of seconds, or -1 for ever, not 'description'"):
        component.send_request_sync("A", Order(), "description")
    for timeout in (None, "5", 5.0, -1):
        with pytest.raises(RuntimeError, match="no node runs it"):
            component.send_request_sync("A", Order(), timeout)
    with pytest.raises(NotImplementedError, match="not offered yet"):
        component.send_generator_request("A", Order())


@pytest.mark.parametrize(
    ("given", "seconds"),
    [(15, 15.0), (0.5, 0.5), ("PT15S", 15.0), ("P1DT2H", 93_600.0), (" 15 ", 15.0), ("PT1.5S", 1.5), ("PT2M", 120.0)],
)
def test_times_of_timers(given: Any, seconds: float) -> None:
    assert duration(given) == seconds


@pytest.mark.parametrize("given", ["soon", "", -1, True, None, "15S", "P1Y"])
def test_times_that_are_none(given: Any) -> None:
    with pytest.raises(ValueError, match="neither a number of seconds nor a duration, for example PT15S"):
        duration(given)


# Connections ---------------------------------------------------------------------------------------------------


class Sender(BusinessProcess):
    where = "From.Attribute"
    Output = target("From.Target")

    def on_message(self, request: Any) -> None:
        self.send_request_sync("A", request)
        self.send_request_async(target="B", request=request)
        self.send_request_sync(self.where, request)
        self.send_request_sync(self.Output, request)
        self.send_request_sync(request.name, request)
        self.send_multi_request_sync([("C", request), (self.where, request), request])
        self.send_request_sync("A", request)

    async def more(self, request: Any) -> None:
        await self.send_request_async_ng(f"{self.where}", request)
        await self.send_request_async_ng("D", request)

    @property
    def broken(self) -> str:
        raise OSError("not open yet")

    def last(self, request: Any) -> None:
        self.send_request_sync(self.broken, request)


class DerivedSender(Sender):
    def on_complete(self, request: Any, response: Any) -> None:
        self.send_request_sync("E", request)


def test_where_the_code_sends_to() -> None:
    assert set(Sender().on_get_connections()) == {"A", "B", "C", "D", "From.Attribute", "From.Target"}
    assert "E" in DerivedSender().on_get_connections()
    assert "A" in DerivedSender().on_get_connections()
    assert type("Made", (BusinessProcess,), {})().on_get_connections() == []
