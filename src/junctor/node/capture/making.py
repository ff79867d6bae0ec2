"""A capture of a session: from a running node with its code and settings, from the store of a stopped one without."""

from __future__ import annotations

import platform
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from junctor import __version__
from junctor.messages import session_text
from junctor.node.capture.file import FORMAT, VERSION, Capture, CapturedNode
from junctor.node.capture.hops import captured_hops
from junctor.node.views.search import NothingFound, asked_for
from junctor.transports.base import Archive

if TYPE_CHECKING:
    from junctor.node.node import Node

NOT_RUNNING = "The node was down: settings, policies, connections and the code of the services are not in this file."


def stored_capture(archive: Archive, which: str, node: str, running: bool = False) -> Capture:
    """What a store has of a session.

    :param which: a session by its first digits, or a message of it.
    :param node: the name of the node.
    :raises NothingFound: nothing answers to ``which``, or several sessions do.
    """
    asked = asked_for(archive, which)
    hops, left_out = captured_hops(archive, asked.session)
    if not hops:
        raise NothingFound(f"nothing of session {which} is stored here")
    missing = [] if running else [NOT_RUNNING]
    if left_out:
        missing.append(f"{left_out} later hops are beyond the limits of a capture.")
    return Capture(
        format=FORMAT,
        version=VERSION,
        made=datetime.now(UTC),
        session=session_text(asked.session),
        node=CapturedNode(
            name=node,
            running=running,
            junctor=__version__,
            python=f"{platform.python_implementation()} {platform.python_version()}",
            platform=f"{sys.platform} {platform.machine()}",
        ),
        asked=asked.seq,
        left_out=left_out,
        missing=missing,
        hops=hops,
    )


async def capture_of(node: Node, which: str) -> Capture:
    """A session of a running node, with the code and the settings of the services that it went through.

    :raises NothingFound: as :func:`stored_capture`.
    """
    from junctor.node.capture.services import captured_flows, captured_services

    capture = await node.read(lambda archive: stored_capture(archive, which, node.name, running=True))
    addresses = {address for hop in capture.hops for address in (hop.source, hop.target)} - {""}
    wirings = list(node.flows)
    started = node.engine.started_at / 1e9
    hosted = {address for address in addresses if address in node.engine.hosts}

    def read() -> None:
        capture.services = list(captured_services(wirings, hosted, started))
        flows = {address.rpartition("/")[0] for address in hosted}
        capture.flows = list(captured_flows(wirings, flows))

    await node.aside(read)
    return capture
