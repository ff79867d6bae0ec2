"""``junctor request``: hand a message to a service and wait for its reply."""

from __future__ import annotations

import click

from junctor.cli import completing, words
from junctor.cli.options import header_option, json_option, node_option, pairs, running_node
from junctor.cli.results import print_result


@click.command("request")
@click.argument("service", shell_complete=completing.services)
@click.argument("body", metavar="BODY")
@click.option("--type", "type_", metavar="NAME", help="The type of the body, where the service handles several.")
@click.option("--key", help="What keeps messages in order, where the flow names no field.")
@click.option("--timeout", metavar="TIME", help='How long to wait: "5s", "1m"; the flow\'s by default.')
@header_option
@node_option
@json_option
def command(
    service: str,
    body: str,
    type_: str | None,
    key: str | None,
    timeout: str | None,
    headers: tuple[str, ...],
    node: str | None,
    as_json: bool,
) -> None:
    """Send a message to a service and print its reply.

    BODY is JSON, @FILE, or - for standard input.
    """
    raw = words.body(body)
    seconds = words.seconds(timeout)
    given = pairs(headers, "header")
    client = running_node(node)
    try:
        reply = client.request(service, raw, type=type_, key=key, timeout=seconds, headers=given or None)
    finally:
        client.close()
    print_result(reply, as_json)
