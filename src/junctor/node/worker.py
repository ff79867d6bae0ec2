"""The program of a worker process: ``python -m junctor.node.worker FD``, started by a node and by nobody else."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys

import msgspec

from junctor.core.spec import ServiceSpec
from junctor.flows.code.source import load
from junctor.flows.overrides import Overrides
from junctor.observe.logs import configure, join_hops
from junctor.observe.prints import join_prints
from junctor.runtime.workers.process import serve
from junctor.runtime.workers.protocol import Build


def spec_of(build: Build) -> ServiceSpec:
    """The service that the node named, with its settings.

    :raises ConfigurationError: the class cannot be imported or the settings do not fit.
    """
    sys.path[:] = [*build.path]
    (item,) = load(build.code, Overrides(environment=False)).services
    return msgspec.structs.replace(item, name=build.service, settings=build.settings).spec()


async def _main(descriptor: int) -> None:
    reader, writer = await asyncio.open_connection(sock=socket.socket(fileno=descriptor))
    await serve(reader, writer, spec_of)


def main() -> None:
    # Ctrl-C goes to the whole terminal group; the node decides when its workers end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    configure()
    join_hops()
    join_prints()
    asyncio.run(_main(int(sys.argv[1])))


if __name__ == "__main__":
    main()
