"""``junctor health``: tells by its exit code whether a node is well. For containers, probes and scripts."""

from __future__ import annotations

from typing import Any

import click

from junctor.cli.options import json_option, node_option
from junctor.errors import JunctorError, NodeNotFound
from junctor.observe.logs import readable

WELL, NOT_WELL, NO_NODE = 0, 1, 2


@click.command("health")
@click.option("--ready", is_flag=True, help="Ask whether it takes work, too: not while it starts or stops.")
@click.option("--timeout", type=float, default=2.0, show_default=True, help="Seconds to wait for the answer.")
@node_option
@json_option
def command(ready: bool, timeout: float, node: str | None, as_json: bool) -> int:
    """Tell by exit code whether a node is well: 0 it is, 1 it is not, 2 no node runs here.

    It is well when it answers and no service has failed or waits to be started again. A service that is held or paused
    is named, and the node is well: its messages wait and are not lost. With --ready the node must also have started,
    and not be stopping.
    """
    # What a probe needs and no more: it may run every few seconds.
    from junctor.node import directory
    from junctor.node.control.client import NodeClient
    from junctor.node.control.wire import ConnectionLost, NoAnswer

    try:
        client = NodeClient(directory.find(node))
    except NodeNotFound as error:
        return _end(NO_NODE, {"state": "down", "well": False, "ready": False, "reasons": [str(error)]}, as_json)
    except JunctorError as error:
        return _end(NOT_WELL, {"well": False, "ready": False, "reasons": [str(error)]}, as_json)
    try:
        found = client.ask("health", patience=timeout)
    except (NoAnswer, ConnectionLost) as error:
        found = {"well": False, "ready": False, "reasons": [str(error)]}
    finally:
        client.close()
    return _end(WELL if found["ready" if ready else "well"] else NOT_WELL, found, as_json)


def _end(code: int, found: dict[str, Any], as_json: bool) -> int:
    from junctor.cli import words

    if as_json:
        click.echo(words.json_text(found))
        return code
    reasons = [*found["reasons"], *found.get("waiting", ())]
    word = "well" if code == WELL else "not well"
    if not reasons:
        click.echo(word)
    for reason in reasons:
        click.echo(f"{word}: {readable(reason)}")
    return code
