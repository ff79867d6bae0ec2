"""The program of a worker process: ``python -m junctor.node.worker FD FD``, started by a node and by nobody else.

The first descriptor is the socket to the node, the second the file that a crash of the interpreter is described in.
"""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import logging
import os
import signal
import socket
import sys
from pathlib import Path

import msgspec

from junctor.core.policy import Policies, PoolPolicy
from junctor.core.spec import ServiceSpec
from junctor.flows.code.source import load
from junctor.flows.overrides import Overrides
from junctor.observe.prints import join_prints
from junctor.runtime.workers.channel import Channel
from junctor.runtime.workers.hops import NodeHandler
from junctor.runtime.workers.process import end, serve
from junctor.runtime.workers.protocol import Build

_PR_SET_PDEATHSIG = 1


def spec_of(build: Build) -> ServiceSpec:
    """The service that the node named, with its settings.

    :raises ConfigurationError: the class cannot be imported or the settings do not fit.
    """
    sys.path[:] = [*build.path]
    (item,) = load(build.code, Overrides(environment=False)).services
    policies = Policies(pool=PoolPolicy(size=build.pool, key=build.key))
    return msgspec.structs.replace(item, name=build.service, settings=build.settings, policies=policies).spec()


def end_with_the_node(parent: int) -> None:
    """A node that is killed takes its workers along, also one that is deep in code that never returns."""
    if sys.platform == "linux":
        import ctypes

        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it was faster
        end()


def leave_signals_to_the_node() -> None:
    """Ctrl-C goes to the whole terminal group, systemd's SIGTERM to the whole unit; the node decides when its workers
    end. Not ignored but handled: a program that user code starts would go on ignoring them."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: None)


def be_ended_first() -> None:
    """Where memory runs out the kernel is to end the worker, and not the node that has the queue."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")


def log_to_the_node(build: Build, channel: Channel) -> None:
    """Let what is logged go to the node instead of standard error."""
    root = logging.getLogger()
    root.handlers[:] = [NodeHandler(f"{build.flow}/{build.service}", channel)]
    root.setLevel(build.log_level)
    logging.captureWarnings(True)


def main() -> None:
    leave_signals_to_the_node()
    descriptor, crashes, parent = map(int, sys.argv[1:4])
    end_with_the_node(parent)
    be_ended_first()
    faulthandler.enable(crashes, all_threads=False)
    channel = Channel(socket.socket(fileno=descriptor))
    build = next(channel.frames, None)
    if not isinstance(build, Build):
        return
    log_to_the_node(build, channel)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(line_buffering=True)
    join_prints()
    asyncio.run(serve(build, channel, spec_of))


if __name__ == "__main__":
    main()
