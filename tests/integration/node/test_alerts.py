"""Alerts of a real node: through `kill -9`, and as an operator sees them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.alerting.servers import WebServer, served

SHOP = """
import dataclasses
from junctor import Service, handler

@dataclasses.dataclass(frozen=True)
class Sale:
    number: int

class Crm(Service):
    @handler
    def take(self, sale: Sale) -> None:
        raise ValueError(f"sale {sale.number}")
"""
FLOW = """
flow: shop
services:
  crm: {class: shop:Crm, retry: {attempts: 1}}
alerts:
  - when: {parked: 1}
    send: {webhook: "${secret:ALERT_URL}"}
  - name: gone
    when: {stopped: true}
    send: {command: /nowhere/page}
"""
PATIENCE = 30.0


@pytest.fixture
def hook() -> Iterator[WebServer]:
    with served(WebServer()) as server:
        yield server


def waits(server: WebServer, count: int) -> list[Any]:
    until = time.monotonic() + PATIENCE
    while len(server.taken) < count:
        assert time.monotonic() < until, f"{len(server.taken)} of {count} notices came"
        time.sleep(0.02)
    return server.taken


def test_a_notice_outlives_the_death_of_the_node(junctor: Any, hook: WebServer) -> None:
    (junctor.folder / "shop.py").write_text(SHOP)
    (junctor.folder / "flow.yaml").write_text(FLOW)
    junctor.env["ALERT_URL"] = hook.url
    hook.answers = [503] * 2
    running = junctor.start("flow.yaml")
    junctor.here("send", "crm", '{"number": 1}')
    waits(hook, 1)
    os.kill(running.process.pid, signal.SIGKILL)
    running.process.wait()

    down = junctor.here("alerts")
    assert "1 message parked: ValueError: sale 1" in down and "shop/parked" in down

    running = junctor.start("flow.yaml")
    taken = waits(hook, 3)
    keys = {headers["Idempotency-Key"] for headers, _ in taken}
    assert len(keys) == 1 and hook.told() == ["raised"] * 3, "the same one, until it was taken"
    found = junctor.json("alerts")
    assert [(one["rule"], one["count"], one["to"]) for one in found["open"]] == [
        ("shop/parked", 1, ["webhook localhost"])
    ]
    assert "1 alert open: junctor alerts" in junctor.here("status")

    tried = junctor.here("alerts", "test", code=1)
    assert "shop/gone" in tried and "it cannot be started: No such file" in tried
    assert "sent" in junctor.here("alerts", "test", "parked")
    assert hook.told()[3:] == ["test", "test"]
    assert 'there is no alert rule "prked"' in junctor.here("alerts", "test", "prked", code=1)
    told = junctor.here("messages") + junctor.here("logs") + running.said
    assert "s3cr3t-path" not in told + down + str(found)
