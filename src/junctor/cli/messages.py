"""``junctor messages``: list what is stored."""

from __future__ import annotations

import click

from junctor.cli import completing, tables, words
from junctor.cli.options import json_option, node_option, reading
from junctor.errors import nearest, storable
from junctor.node.views.fields import SYNTAX, field_term
from junctor.node.views.messages import MessageView
from junctor.node.views.search import LIMIT, STATUSES, Filter


@click.command("messages")
@click.option("--service", metavar="NAME", help="From or to this service.", shell_complete=completing.services)
@click.option("--type", "type_", metavar="NAME", help="Of this type.", shell_complete=completing.types)
@click.option(
    "--status",
    multiple=True,
    metavar="WORD",
    help=f"One of {', '.join(STATUSES)}; repeatable.",
    shell_complete=completing.statuses,
)
@click.option("--session", metavar="SESSION", help="Of this session: its first digits, or a correlation id.")
@click.option("--since", metavar="TIME", help="Not before: 10m (ago), 14:30, 2026-11-20T14:30.")
@click.option("--until", metavar="TIME", help="Not after.")
@click.option("--text", metavar="TEXT", help="With this text in the body.")
@click.option(
    "--error",
    metavar="NAME_OR_TEXT",
    help="With an error of this class, or with this text in it, in any attempt.",
    shell_complete=completing.errors,
)
@click.option(
    "--field",
    "fields",
    multiple=True,
    metavar="TERM",
    help="With this in the body: order.id=500, 'amount>100', name~Ann, lines.0.sku!=X; repeatable.",
)
@click.option("--before", type=click.IntRange(0, 2**63 - 1), metavar="SEQ", help="Go on below this number.")
@click.option("-n", "--limit", type=click.IntRange(1, LIMIT), default=50, show_default=True, help="How many.")
@node_option
@json_option
def command(
    service: str | None,
    type_: str | None,
    status: tuple[str, ...],
    session: str | None,
    since: str | None,
    until: str | None,
    text: str | None,
    error: str | None,
    fields: tuple[str, ...],
    before: int | None,
    limit: int,
    node: str | None,
    as_json: bool,
) -> None:
    """List messages, newest first. All filters must fit.

    \b
    STATUS     the message
    ready      is in the queue and has its turn next
    claimed    was handed to its handler, or is about to be
    waiting    has a time: it was delayed, or is tried again then
    held       waits until the other side of its service is back
    done       was handled
    parked     was put aside with its error: junctor parked
    expired    was a request whose deadline passed before it was handled
    failed     was a tick, route or action that raised
    resent     was parked; a new message carries on in its place
    discarded  was parked; somebody decided that nothing follows
    begun      began a workflow or conversation that goes on
    open       all that are still to be handled: the first four

    A field of the body is compared with = != < <= > >=, or with ~ for a text in it. The value is JSON where it can be
    read so, else text: id=500 is a number, id='"500"' a text. A body without the field does not fit. Quote what your
    shell would read: 'amount>100'.

    --json has body and headers as well.
    """
    for text_ in fields:
        _check_field(text_)
    for word in status:
        if word not in STATUSES:
            raise click.BadParameter(f'there is no status "{word}". {nearest(word, STATUSES)}'.rstrip())
    filter = Filter(
        service=service,
        type=type_,
        status=list(status) or None,
        session=session,
        since=None if since is None else words.instant(since),
        until=None if until is None else words.instant(until),
        text=None if text is None else storable(text),
        error=None if error is None else storable(error),
        fields=[storable(term) for term in fields] or None,
        before=before,
        limit=limit,
    )
    with reading(node) as source:
        found = source.messages(filter, bodies=as_json)
    if as_json:
        click.echo(words.json_text(found))
        return
    if not found:
        click.echo("no messages")
        return
    heads = ("seq", "time", "from", "to", "type", "status", "tries", "took", "session", "error")
    digits = words.distinct([message.session for message in found])
    tables.show(heads, [_row(message, digits[message.session]) for message in found], right="seq tries took")
    if len(found) == limit:
        click.echo(f"\nthere may be more: --before {found[-1].seq}")


def _check_field(text: str) -> None:
    """Before a node is asked; it would say the same."""
    try:
        field_term(text)
    except ValueError as error:
        raise click.BadParameter(f"{error}. {SYNTAX}", param_hint="--field") from None


def _row(message: MessageView, session: str) -> tuple[str, ...]:
    kind = "" if message.kind == "send" else f" ({message.kind})"
    return (
        str(message.seq),
        words.clock(message.time),
        message.source,
        message.target + kind,
        message.label,
        f"{message.status} (damaged)" if message.damaged else message.status,
        str(message.attempt) if message.attempt else "",
        words.duration(message.seconds) if message.seconds else "",
        session,
        words.short(f"{message.error.type}: {message.error.text}", 60) if message.error else "",
    )
