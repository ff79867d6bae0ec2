"""Com over HTTP: the adapter http-out behind it, with its verdicts."""

from __future__ import annotations

import json

from tests.integration.adapters.http.partner import Partner
from tests.integration.microservicebus.com.flows import comes, gateway, state_of, submit


async def test_readings_are_posted_in_order_with_a_key_each() -> None:
    async with Partner() as partner:
        flow = gateway("http", url=f"{partner.url}/readings", bearer="a-secret-token")
        async with flow.running(transport="memory") as node:
            await submit(node, range(20))
            await comes(lambda: len(partner.asked) == 20)
            assert [json.loads(one.body)["n"] for one in partner.asked] == list(range(20))
            assert len(set(partner.keys)) == 20
            assert partner.asked[0].headers["Authorization"] == "Bearer a-secret-token"
            assert "a-secret-token" not in repr(node.status())


async def test_a_server_that_is_away_holds_and_one_that_refuses_parks() -> None:
    async with Partner([503, 503, 400, 200]) as partner:
        async with gateway("http", url=partner.url).running(transport="memory") as node:
            await submit(node, range(3))
            await comes(lambda: len(partner.asked) == 5)
            assert [json.loads(one.body)["n"] for one in partner.asked] == [0, 0, 0, 1, 2]
            assert len(set(partner.keys[:3])) == 1
            com = next(one for one in node.status().services if one.service == "com")
            assert com.parked == 1
            await partner.stop()
            await submit(node, range(3, 6))
            await comes(lambda: state_of(node, "com") == "held")
            await partner.start()
            await comes(lambda: [json.loads(one.body)["n"] for one in partner.asked][-3:] == [3, 4, 5])
