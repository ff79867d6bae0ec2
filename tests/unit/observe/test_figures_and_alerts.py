"""Metrics as text, and alerts as records."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from junctor.core.lifecycle import State
from junctor.observe import alerts
from junctor.observe.metrics import NodeFigures, ServiceFigures, exposition


def test_the_text_is_what_prometheus_reads() -> None:
    services = (
        ServiceFigures("plant", 'a"\\\n', State.HELD, 3, 400, 1, 0.5, {"done": 10**18, "parked": 1}, 7, 8),
        ServiceFigures("plant", "b", State.RUNNING),
    )
    text = exposition(NodeFigures(services, {("GET", 2): 5, ("POST", 5): 1}, 0.001, "sqlite", "a1b2", "0.1"))
    families = {family.name: family for family in text_string_to_metric_families(text)}
    done = next(one for one in families["junctor_messages"].samples if one.labels["outcome"] == "done")
    assert done.value == 10**18 and done.labels["service"] == 'a"\\\n'
    held = [one for one in families["junctor_service_state"].samples if one.value == 1]
    assert {(one.labels["service"][0], one.labels["state"]) for one in held} == {("a", "held"), ("b", "running")}
    assert sum(one.value for one in families["junctor_http_requests"].samples) == 6
    assert all(family.documentation.endswith(".") for name, family in families.items() if name.startswith("junctor"))


def test_an_empty_node_has_figures_too() -> None:
    names = {family.name for family in text_string_to_metric_families(exposition(NodeFigures()))}
    assert {"junctor_messages", "junctor_event_loop_lag_seconds", "junctor_node_info"} <= names


def test_the_figures_of_a_services_own_code_are_added() -> None:
    import prometheus_client

    counter = prometheus_client.Counter("plant_strokes", "Strokes of the pump.")
    counter.inc(3)
    try:
        assert "plant_strokes_total 3.0" in exposition(NodeFigures())
    finally:
        prometheus_client.REGISTRY.unregister(counter)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_thousand_parked_messages_are_one_record_a_minute() -> None:
    clock = Clock()
    parked = alerts.ParkedAlerts(clock)
    made = []
    for number in range(1, 3001):
        clock.now = number / 25  # two minutes
        made.append(parked.of(number, "plant/alarm", "ValueError", "a1", f"message {number} is parked", number))
    told = [one for one in made if one is not None]
    assert [one.seq for one in told] == [1, 1501]
    assert (told[0].kind, told[0].text, told[0].command) == ("parked", "message 1 is parked", "junctor trace 1")
    assert told[1].text == "1499 more with this error since the last one; message 1501 is parked"
    assert parked.of(1, "plant/alarm", "KeyError", "a1", "another", 7) is not None, "another failure is told at once"
    assert parked.of(1, "plant/valve", "ValueError", "a1", "another", 7) is not None


def test_failures_of_ever_new_kinds_take_no_memory_without_end() -> None:
    parked = alerts.ParkedAlerts(Clock())
    for number in range(alerts.KINDS + 10):
        assert parked.of(1, "plant/alarm", "ValueError", str(number), "text", 7) is not None
    assert parked.of(1, "plant/alarm", "ValueError", "5", "text", 7) is not None, "the oldest are forgotten"
    assert parked.of(1, "plant/alarm", "ValueError", str(alerts.KINDS), "text", 7) is None
