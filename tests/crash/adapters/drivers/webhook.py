"""The flow of the HTTP tests: from a webhook through a service to another one. ``junctor run`` starts it; HTTP_OUT is
the port of that one."""

from __future__ import annotations

import os
from typing import Any

from junctor import Flow, Service, Target, handler
from junctor.adapters import HttpIn, HttpOut

QUICK = {"initial": "20ms", "max": "100ms"}


class Relay(Service):
    """Counts what it passes on."""

    out: Target[Any]

    @handler
    async def on(self, body: dict[str, int]) -> None:
        self.state["count"] = self.state.get("count", 0) + 1
        await self.out.send(body | {"count": self.state["count"]})


flow = (
    Flow("shop")
    .add(HttpIn(path="/in", once_by="body.n"), name="source", connect={"out": "relay"})
    .add(Relay, name="relay", connect={"out": "announce"})
    .add(
        HttpOut(url=f"http://127.0.0.1:{os.environ['HTTP_OUT']}/out", timeout="2s"),
        name="announce",
        hold=QUICK,
        retry={"deaths": 20},
    )
)
