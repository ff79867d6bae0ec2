"""Runs services of :mod:`msb_services` under the orchestrator of microServiceBus itself. A script for its own Python.

Its loop is that of the package, unchanged, in process and without a network. The services around it (portal, VPN,
terminal, updates) are there under their names and do nothing, and its logger throws its lines away: that makes it
faster than it is.
"""

import asyncio
import json
import sys
import sysconfig
import types
from pathlib import Path

sys.path.append(str(Path(sysconfig.get_path("purelib")) / "src"))

import base_service
import msb_services

INTERNAL = {
    "logger_service": "Logger",
    "msb_handler": "microServiceBusHandler",
    "watchdog_service": "Watchdog",
    "vpn_helper": "VPNHelper",
    "terminal_service": "Terminal",
    "update_handler": "UpdateHandler",
}


class Inert(base_service.BaseService):
    async def _debug(self, message):
        pass


def _replace_internals():
    for module, name in INTERNAL.items():
        sys.modules[module] = types.ModuleType(module)
        setattr(sys.modules[module], name, Inert)


def _config(properties):
    general = {"name": "bench", "host": "bench", "enabled": True}
    parts = {"generalConfig": general, "staticConfig": properties, "securityConfig": {}}
    return {part: [{"id": name, "value": value} for name, value in values.items()] for part, values in parts.items()}


async def _run(services, properties):
    from orchestrator_service import Orchestrator

    queue = asyncio.Queue()
    orchestrator = Orchestrator("orchestrator", queue)
    running = asyncio.create_task(orchestrator.Start())
    if "messages" in properties:
        await _settled(queue)
    for name, of in services:
        service = getattr(msb_services, of)(f"{name}_py", queue, _config(properties))
        await orchestrator.StartService(service)
    await asyncio.to_thread(msb_services.MEASURED.done.wait)
    running.cancel()


async def _settled(queue):
    """Its own services are started, and their lines gone: they would be in the way of what is measured."""
    await asyncio.sleep(1)
    while not queue.empty():
        await asyncio.sleep(0.1)


def main():
    _replace_internals()
    params = json.loads(sys.argv[1])
    asyncio.run(_run(params["services"], params["properties"]))
    Path(params["answer"]).write_text(json.dumps(msb_services.MEASURED.figures()))


if __name__ == "__main__":
    main()
