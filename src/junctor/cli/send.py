"""``junctor send``: hand a message to a service."""

from __future__ import annotations

import click

from junctor.cli import completing, words
from junctor.cli.options import header_option, json_option, node_option, pairs, running_node


@click.command("send")
@click.argument("service", shell_complete=completing.services)
@click.argument("body", metavar="BODY")
@click.option("--type", "type_", metavar="NAME", help="The type of the body, where the service handles several.")
@click.option("--key", help="What keeps messages in order, where the flow names no field.")
@click.option("--delay", metavar="TIME", help='Deliver it later: "30s", "5m".')
@click.option("--idempotency-key", metavar="TEXT", help="The same key twice is accepted once.")
@header_option
@node_option
@json_option
def command(
    service: str,
    body: str,
    type_: str | None,
    key: str | None,
    delay: str | None,
    idempotency_key: str | None,
    headers: tuple[str, ...],
    node: str | None,
    as_json: bool,
) -> None:
    """Send a message to a service; done when it is accepted.

    BODY is JSON, @FILE, or - for standard input.
    """
    raw = words.body(body)
    seconds = words.seconds(delay)
    given = pairs(headers, "header")
    client = running_node(node)
    try:
        receipt = client.send(
            service, raw, type=type_, key=key, delay=seconds, idempotency_key=idempotency_key, headers=given or None
        )
    finally:
        client.close()
    if as_json:
        click.echo(words.json_text(receipt))
    else:
        accepted = "accepted earlier as" if receipt.duplicate else "accepted"
        click.echo(f"{accepted} {receipt.id}  session {receipt.session}")
