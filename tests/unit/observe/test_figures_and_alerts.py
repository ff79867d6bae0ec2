"""Metrics as text, and alerts as records."""

from __future__ import annotations

import inspect
import logging

import pytest
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


def made_alerts() -> list[alerts.AlertRecord]:
    return [
        alerts.parked(1, "plant/alarm", "a1-7", 7, "ValueError: x"),
        alerts.held(1, "plant/alarm", "connection refused", 1),
        alerts.flowing(1, "plant/alarm", 12.4),
        alerts.failed(1, "plant/alarm", "ValueError: x", 6, 60),
        alerts.queue_full(1, "plant/alarm", 1_000_000),
        alerts.store_full(1, "/var/lib/j", 5_000_000),
        alerts.store_room(1, "/var/lib/j"),
        alerts.damaged(1, "record 7 fails its checksum"),
        alerts.suspects(1, 3),
        alerts.blocked(1, "plant/alarm", "alarm.on_reading", 2.34),
    ]


def test_every_alert_has_a_kind_and_a_sentence(caplog: pytest.LogCaptureFixture) -> None:
    made = made_alerts()
    makers = [name for name, value in vars(alerts).items() if inspect.isfunction(value) and name[0] != "_"]
    assert len(made) == len(makers) - 1  # all but tell
    assert len({one.kind for one in made}) == len(made)
    for one in made:
        alerts.tell(one)
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * len(made)
    assert "message a1-7 is parked: ValueError: x (run: junctor trace a1-7)" in caplog.text
    assert "held with 1 message waiting: connection refused" in caplog.text
