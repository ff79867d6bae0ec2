"""Counters and tracers."""

from __future__ import annotations

import pytest

from junctor.dialects.pip_services.commons.config import ConfigParams
from junctor.dialects.pip_services.commons.refer import Descriptor, References
from junctor.dialects.pip_services.commons.run import IOpenable
from junctor.dialects.pip_services.components.count import (
    CompositeCounters,
    Counter,
    CounterType,
    LogCounters,
    NullCounters,
)
from junctor.dialects.pip_services.components.log import CachedLogger, ConsoleLogger, LogLevel, LogMessage
from junctor.dialects.pip_services.components.trace import (
    CachedTracer,
    CompositeTracer,
    LogTracer,
    NullTracer,
    OperationTrace,
)
from junctor.dialects.pip_services.container import Container


def logged(*components: object) -> References:
    console = ConsoleLogger()
    console.set_level(LogLevel.Trace)
    made = References.from_tuples(Descriptor("pip-services", "logger", "console", "default", "1.0"), console)
    for component in components:
        kind = "tracer" if hasattr(component, "begin_trace") else "counters"
        made.put(Descriptor("pip-services", kind, "log", "default", "1.0"), component)
    return made


def test_composites_count_once_however_many_there_are() -> None:
    counters = LogCounters()
    references = logged(counters)
    composites = [CompositeCounters(references) for _ in range(3)]
    composites[0].increment_one("calls")
    assert counters.get("calls", CounterType.Increment).count == 1


def test_values_have_their_least_greatest_and_average() -> None:
    counters = LogCounters()
    for value in (4.0, 1.0, 7.0):
        counters.stats("size", value)
    counters.last("level", 3.0)
    found = counters.get("size", CounterType.Statistics)
    assert (found.min, found.max, found.average, found.count, found.last) == (1.0, 7.0, 4.0, 3, 7.0)
    assert [counter.name for counter in counters.get_all()] == ["size", "level"]


def test_times_are_measured_to_the_end_of_a_block() -> None:
    counters = LogCounters()
    with CompositeCounters(logged(counters)).begin_timing("exec_time"):
        pass
    NullCounters().begin_timing("exec_time").end_timing()
    assert counters.get("exec_time", CounterType.Interval).count == 1


def test_counters_are_written_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    counters = LogCounters()
    counters.set_references(logged())
    counters.increment("calls", 2)
    assert capsys.readouterr().out == "", "not before its time"
    counters.dump()
    counters.dump()
    assert capsys.readouterr().out.count('Counter calls {"type": 4, "count": 2}') == 1


def test_a_counter_of_another_type_begins_anew() -> None:
    counters = LogCounters()
    counters.configure(ConfigParams.from_tuples("options.interval", 1000))
    counters.increment_one("a")
    assert counters.get("a", CounterType.LastValue).count is None
    assert isinstance(counters.get("a", CounterType.LastValue), Counter)
    counters.clear("a")
    assert counters.get_all() == []
    with pytest.raises(ValueError, match="Name"):
        counters.get("", CounterType.Increment)


def test_traces_are_written_with_their_failures(capsys: pytest.CaptureFixture[str]) -> None:
    tracer = LogTracer()
    references = logged(tracer)
    tracer.set_references(references)
    tracers = [CompositeTracer(references), CompositeTracer(references)]
    tracers[0].trace("a", "shop", "sell", 5)
    tracers[1].failure("a", "shop", None, ValueError("empty"), 5)
    NullTracer().begin_trace("a", "shop", "sell").end_trace()
    said = capsys.readouterr()
    assert said.out.count("Executed shop.sell in 5 msec") == 1
    assert said.err.count("Failed to execute shop in 5 msec: empty") == 1


class Kept(CachedTracer):
    def __init__(self) -> None:
        super().__init__()
        self.saved: list[OperationTrace] = []

    def _save(self, operations: list[OperationTrace]) -> None:
        self.saved += operations


def test_collected_traces_are_saved_together() -> None:
    tracer = Kept()
    tracer.begin_trace("a", "shop", "sell").end_trace()
    tracer.begin_trace("a", "shop", "buy").end_failure(ValueError("empty"))
    assert tracer.saved == []
    tracer.dump()
    assert [(one.operation, one.error is None) for one in tracer.saved] == [("sell", True), ("buy", False)]


def test_what_is_not_saved_yet_is_saved_at_the_close_of_the_container(capsys: pytest.CaptureFixture[str]) -> None:
    container = Container("shop")
    container.configure(
        ConfigParams.from_tuples(
            "0.descriptor", "pip-services:logger:console:default:1.0",
            "1.descriptor", "pip-services:counters:log:default:1.0",
        )
    )  # fmt: skip
    container.open(None)
    references = container.references
    assert references is not None
    CompositeCounters(references).increment_one("sales")
    assert "sales" not in capsys.readouterr().out
    container.close(None)
    assert 'Counter sales {"type": 4, "count": 1}' in capsys.readouterr().out


def test_loggers_and_tracers_with_a_cache_save_what_is_left() -> None:
    class Lines(CachedLogger):
        def _save(self, messages: list[LogMessage]) -> None:
            saved.extend(message.message for message in messages)

    class Operations(CachedTracer):
        def _save(self, operations: list[OperationTrace]) -> None:
            saved.extend(operation.operation for operation in operations)

    saved: list[str | None] = []
    logger, tracer = Lines(), Operations()
    for each in (logger, tracer):
        assert isinstance(each, IOpenable)
        each.open(None)
    logger.info(None, "first")
    tracer.trace(None, "shop", "sell", 1.0)
    assert saved == [] and logger.is_open() and tracer.is_open()
    tracer.close(None)
    logger.close(None)
    assert saved == ["sell", "first"] and not logger.is_open()
    logger.info(None, "container stopped")
    tracer.trace(None, "shop", "stop", 1.0)
    assert saved == ["sell", "first", "container stopped", "stop"]
