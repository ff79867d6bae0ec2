"""The flow of the tests of Com: what comes from the cloud goes back to it as a reading. ``junctor run`` starts it;
HUB_PORT, HUB_CA and HUB_KEY say where the hub is."""

from __future__ import annotations

import os

from junctor import Flow
from junctor.dialects.microservicebus import CustomService, QueueMessage
from junctor.dialects.microservicebus.com import Com

QUICK = {"initial": "20ms", "max": "100ms"}


class Echo(CustomService):
    """Submits what it is told."""

    async def Echo(self, message: QueueMessage) -> None:
        await self.SubmitMessage(message.message[0])


flow = (
    Flow("edge")
    .add(Echo, name="echo", pool=1)
    .add(
        Com(
            provider="azure-iot-hub",
            rate="1000/s",
            actions={"message": "echo.Echo"},
            settings={
                "hub": "contoso.azure-devices.net",
                "device": "dev1",
                "access_key": os.environ["HUB_KEY"],
                "gateway": f"localhost:{os.environ['HUB_PORT']}",
                "ca": os.environ["HUB_CA"],
            },
        ),
        name="com",
        hold=QUICK,
    )
)
