"""The life cycle by duck typing, parameters, and the timer."""

from __future__ import annotations

import threading
import time
from typing import Any

from junctor.dialects.pip_services.commons.config import ConfigParams
from junctor.dialects.pip_services.commons.run import (
    Cleaner,
    Closer,
    Executor,
    FixedRateTimer,
    ICleanable,
    IClosable,
    IExecutable,
    INotifiable,
    IOpenable,
    Notifier,
    Opener,
    Parameters,
)


class Plain:
    """Inherits nothing."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []

    def open(self, correlation_id: str | None) -> None:
        self.calls.append(("open", correlation_id))

    def close(self, correlation_id: str | None) -> None:
        self.calls.append(("close", correlation_id))


class Told(IExecutable, INotifiable, ICleanable):
    def __init__(self) -> None:
        self.calls: list[Any] = []

    def execute(self, correlation_id: str | None, args: Parameters) -> Any:
        return (correlation_id, args)

    def notify(self, correlation_id: str | None, args: Parameters) -> None:
        self.calls.append((correlation_id, args))

    def clear(self, correlation_id: str | None) -> None:
        self.calls.clear()


def test_open_and_close_need_no_base_class() -> None:
    component = Plain()
    assert isinstance(component, IOpenable) and isinstance(component, IClosable)
    Opener.open("c", [component, object()])
    Closer.close("c", [component, object()])
    assert component.calls == [("open", "c"), ("close", "c")]


def test_what_cannot_be_opened_is_left_alone() -> None:
    class OnlyOpen:
        def open(self) -> None: ...

    assert not isinstance(OnlyOpen(), IOpenable)
    Opener.open("c", [OnlyOpen(), "text", {}])
    assert Opener.is_opened([OnlyOpen(), Plain()]), "what does not tell counts as open"


def test_is_opened_asks_all() -> None:
    class Door(Plain):
        def is_open(self) -> bool:
            return bool(self.calls)

    door = Door()
    assert not Opener.is_opened([Plain(), door])
    Opener.open_one(None, door)
    assert Opener.is_opened([Plain(), door])


def test_execute_notify_and_clear_must_be_inherited() -> None:
    told, args = Told(), Parameters.from_tuples("a", 1)
    assert Executor.execute("c", [told, {}, object()], args) == [("c", args)]
    Notifier.notify("c", [told, object()], args)
    assert told.calls == [("c", args)]
    ours = {"kept": 1}
    Cleaner.clear("c", [told, ours])
    assert told.calls == [] and ours == {"kept": 1}, "a dict has a clear of another meaning"


def test_parameters_are_nested() -> None:
    parameters = Parameters.from_tuples("a.b", 1, "c", {"d": 2})
    assert parameters == {"a": {"b": 1}, "c": {"d": 2}}
    assert (parameters.get("a.b"), parameters.get("c.d"), parameters.get("x.y")) == (1, 2, None)
    assert parameters.get_as_integer("c.d") == 2 and parameters.contains_key("a.b")
    assert parameters.get_as_parameters("c") == {"d": 2} and parameters.get_as_nullable_parameters("x") is None
    parameters.put("a.e", 3)
    assert parameters["a"] == {"b": 1, "e": 3}


def test_parameters_are_merged() -> None:
    ours, theirs = Parameters.from_tuples("a", 1, "n", {"q": 1}), Parameters.from_tuples("a", 2, "n", {"r": 1}, "z", 3)
    assert ours.override(theirs) == {"a": 2, "n": {"r": 1}, "z": 3}
    assert ours.override(theirs, True) == {"a": 2, "n": {"q": 1, "r": 1}, "z": 3}
    assert ours.set_defaults(theirs) == {"a": 1, "n": {"q": 1}, "z": 3}
    assert ours.set_defaults(theirs, True) == {"a": 1, "n": {"r": 1, "q": 1}, "z": 3}
    assert (ours.pick("a", "x"), ours.omit("a")) == ({"a": 1}, {"n": {"q": 1}})
    assert ours == {"a": 1, "n": {"q": 1}}


def test_parameters_from_and_to_other_forms() -> None:
    assert Parameters.from_json('{"a": {"b": 1}}') == {"a": {"b": 1}} and Parameters.from_json("x") == {}
    assert Parameters.from_config(ConfigParams.from_tuples("a.b", 1)) == {"a": {"b": "1"}}
    assert Parameters.from_value(None) == {} and Parameters.from_tuples("name", "x").to_json() == '{"name": "x"}'

    class Order:
        price = 1

    order = Order()
    Parameters.from_tuples("price", 2, "other", 3).assign_to(order)
    assert order.price == 2 and not hasattr(order, "other")


def test_a_timer_goes_on_after_an_error_and_ends_when_stopped() -> None:
    seen = threading.Semaphore(0)

    def call() -> None:
        seen.release()
        raise ValueError("the call fails")

    timer = FixedRateTimer(call, 1, 0)
    timer.start()
    assert timer.is_started()
    for _ in range(3):
        assert seen.acquire(timeout=10)
    timer.close(None)
    assert not timer.is_started()
    time.sleep(0.01)
    while seen.acquire(blocking=False):
        pass
    assert not seen.acquire(timeout=0.02), "no call after the stop"


def test_a_timer_notifies_a_component() -> None:
    rung = threading.Event()

    class Bell(INotifiable):
        def notify(self, correlation_id: str | None, args: Parameters) -> None:
            if correlation_id == "pip-commons-timer" and args == {}:
                rung.set()

    timer = FixedRateTimer(Bell(), 1, 1)
    timer.start()
    assert rung.wait(10)
    timer.stop()
    assert timer.get_task() is not None and timer.get_interval() == 1


def test_a_timer_without_interval_does_not_start() -> None:
    timer = FixedRateTimer(lambda: None)
    timer.start()
    assert not timer.is_started()
