"""The night of the documentation, in time that the test moves: an outage of an hour, then a poison message."""

from __future__ import annotations

import json
import socketserver
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from junctor.flows import Overrides, load
from tests.integration.alerting.night import Night
from tests.integration.alerting.servers import WebServer, refused_port, served

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "night"


class Desk(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        sale = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.booked.append((self.headers["Idempotency-Key"], sale["number"]))  # type: ignore[attr-defined]
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: Any) -> None: ...


def partner(port: int) -> socketserver.BaseServer:
    server = ThreadingHTTPServer(("127.0.0.1", port), Desk)
    server.booked = []  # type: ignore[attr-defined]
    return server


async def test_a_partner_is_away_for_an_hour_and_nothing_is_parked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = refused_port()
    with served(WebServer()) as hook:
        monkeypatch.setenv("ALERT_URL", hook.url)
        monkeypatch.setenv("PARTNER_URL", f"http://127.0.0.1:{port}/sales")
        flow = load(str(EXAMPLE), Overrides())
        order = sys.modules[flow.items[0].code.partition(":")[0]].Order
        async with Night(tmp_path, flow) as night:

            async def orders(*numbers: int) -> None:
                for number in numbers:
                    await night.node.target("orders", order).send(order(number, "box", 1))
                await night.settled()

            with served(partner(port)) as before:
                await orders(1, 2)
            for hour_tenth in range(10):
                await orders(*range(10 * hour_tenth + 3, 10 * hour_tenth + 13))
                await night.passes(360)
            assert hook.told() == ["raised"], "one alert in an hour"
            assert night.node.status().services[1].queued == 100
            with served(partner(port)) as after:
                await night.passes(180)
            assert hook.told() == ["raised", "resolved"]
            assert [number for _, number in before.booked + after.booked] == list(range(1, 103)), "all, once, in order"
            assert night.node.archive.parked() == []

            await night.node.target("orders", order).send(order(103, "bag", 1))
            await night.passes(10)
            (group,) = night.node.archive.parked()
            assert (group.service, group.error) == ("night/orders", "KeyError")
            assert hook.told() == ["raised", "resolved", "raised"]
            assert "1 message parked: KeyError: 'bag'" in hook.notices[2]["text"]
            assert f"junctor parked {group.fingerprint[:8]} --node {tmp_path}" == hook.notices[2]["command"]
