"""``junctor restart``: a service is started anew."""

from __future__ import annotations

import click

from junctor.cli import completing, words
from junctor.cli.options import node_option, running_node
from junctor.errors import ServiceStopped
from junctor.node.views.status import ServiceStatus

PATIENCE = 60.0
"""Seconds for the work in flight to finish and the service to start."""


@click.command("restart")
@click.argument("service", shell_complete=completing.services)
@node_option
def command(service: str, node: str | None) -> None:
    """Stop SERVICE and start it anew, with a new instance.

    Its work in flight has some seconds to finish, or is delivered again. It also starts a service that failed too often
    and stays stopped; its failures so far are forgotten.
    """
    client = running_node(node)
    try:
        status: ServiceStatus = client.ask("restart", ServiceStatus, patience=PATIENCE, service=service)
    finally:
        client.close()
    address = f"{status.flow}/{status.service}"
    if status.state in ("backoff", "failed"):
        fix = "`junctor logs` has the traceback; correct the cause."
        raise ServiceStopped(f"it did not start: {words.safe(status.last_error)}", where=address, fix=fix)
    click.echo(f"{address} is {status.state}")
