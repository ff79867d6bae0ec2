"""The four programs in one flow, and the child process that a test kills."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from junctor import Flow
from tests.spike.dialects import base_service, pip_services, servicefactory
from tests.spike.programs import custom_services, hello_world, looping, production


def composed(gate: str = "") -> Flow:
    """All four in one flow; ``gate`` is a file for which the iop operation waits."""
    flow = Flow("spike").add(production.MyBusinessOperation, "python-mybo", settings={"gate": gate})
    flow.add(production.MyBP).add(production.MyAsyncNGBP).add(production.MyPollingService)
    for spec in (
        base_service.spec_of(custom_services.Stubborn),
        base_service.spec_of(custom_services.Sender, {"gpio_pin": 7}),
        base_service.spec_of(custom_services.Receiver),
        pip_services.spec_of(hello_world.HelloWorldProcess),
        servicefactory.spec_of(looping.Test),
        servicefactory.spec_of(looping.Audit),
    ):
        flow.add(spec)
    return flow


async def _run_until_killed(folder: Path) -> None:
    async with composed(str(folder / "gate")).running(store=folder / "store") as node:
        await node.target("python-mybp", production.MyRequest).send(production.MyRequest("John"))
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_run_until_killed(Path(sys.argv[1])))
