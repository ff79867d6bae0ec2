"""What the commands share that decide about parked messages: which ones are meant, and the node that must run."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click
import msgspec

from junctor.cli import completing, tables, words
from junctor.cli.options import running_node
from junctor.errors import NodeNotFound, storable
from junctor.node.control.client import NodeClient
from junctor.node.views.decisions import Kin
from junctor.node.views.fields import SYNTAX, field_term
from junctor.node.views.search import Filter
from junctor.node.views.selection import ENDED

Command = TypeVar("Command", bound=Callable[..., Any])

_MESSAGE = re.compile(r"(?:[0-9a-f]+-)?[0-9]+")


class Meant(msgspec.Struct, frozen=True):
    """Which messages a command line means. ``arguments`` say it to the node, ``words`` to the shell."""

    messages: tuple[str, ...]
    group: str | None
    filter: Filter | None

    @property
    def arguments(self) -> dict[str, Any]:
        if self.messages:
            return {"messages": list(self.messages)}
        found: dict[str, Any] = {"group": self.group} if self.group is not None else {}
        if self.filter is not None:
            found["filter"] = self.filter
        return found

    def __bool__(self) -> bool:
        return bool(self.messages or self.group is not None or self.filter is not None)


def selection_options(command: Command) -> Command:
    """``[MESSAGE]...``, ``--group`` and the filters of ``junctor messages``; the command gets ``meant``."""

    @functools.wraps(command)
    def collected(
        *args: Any,
        messages: tuple[str, ...],
        group: str | None,
        service: str | None,
        type_: str | None,
        status: tuple[str, ...],
        session: str | None,
        since: str | None,
        until: str | None,
        text: str | None,
        error: str | None,
        fields: tuple[str, ...],
        **more: Any,
    ) -> Any:
        for message in messages:
            if not _MESSAGE.fullmatch(message):
                raise click.BadParameter(f'"{words.safe(message)}" is not a message: write 42, or a1b2c3d4e5f6-42')
        given = {
            "service": service,
            "type": type_,
            "status": list(status) or None,
            "session": session,
            "since": None if since is None else words.instant(since),
            "until": None if until is None else words.instant(until),
            "text": None if text is None else storable(text),
            "error": None if error is None else storable(error),
            "fields": [_checked(field) for field in fields] or None,
        }
        filter = Filter(**given) if any(value is not None for value in given.values()) else None  # type: ignore[arg-type]
        if messages and (group is not None or filter is not None):
            raise click.UsageError("name messages, or search for them: not both")
        return command(*args, meant=Meant(messages, group, filter), **more)

    for option in (
        click.option("--field", "fields", multiple=True, metavar="TERM", help="With this in the body; repeatable."),
        click.option("--text", metavar="TEXT", help="With this text in the body."),
        click.option(
            "--error",
            metavar="NAME_OR_TEXT",
            help="With an error of this class, or with this text in it.",
            shell_complete=completing.errors,
        ),
        click.option("--until", metavar="TIME", help="Sent not after."),
        click.option("--since", metavar="TIME", help="Sent not before: 10m (ago), 14:30, 2026-11-20T14:30."),
        click.option("--session", metavar="SESSION", help="Of this session: its first digits, or a correlation id."),
        click.option("--status", multiple=True, type=click.Choice(ENDED), help="Parked ones by default; repeatable."),
        click.option("--type", "type_", metavar="NAME", help="Of this type.", shell_complete=completing.types),
        click.option("--service", metavar="NAME", help="That went there.", shell_complete=completing.services),
        click.option(
            "--group",
            metavar="PLACE",
            help="The group of this place in `junctor parked`.",
            shell_complete=completing.groups,
        ),
        click.argument("messages", metavar="[MESSAGE]...", nargs=-1),
    ):
        collected = option(collected)
    return collected  # type: ignore[return-value]


def _checked(field: str) -> str:
    try:
        field_term(field)
    except ValueError as error:
        raise click.BadParameter(f"{error}. {SYNTAX}", param_hint="--field") from None
    return storable(field)


@contextmanager
def needed_node(node: str | None, why: str) -> Iterator[NodeClient]:
    """The client of the node, which must run.

    :param why: what only a running node does, for the error.
    :raises NodeNotFound: it does not run.
    """
    try:
        client = running_node(node)
    except NodeNotFound as error:
        raise type(error)(f"{error.what}; {why}", where=error.where, fix=error.fix) from None
    try:
        yield client
    finally:
        client.close()


def show_kin(kin: list[Kin]) -> None:
    """The messages that are meant, by service, type and error."""
    rows = [(each.service, each.type, str(each.count), each.error) for each in kin]
    tables.show(("service", "type", "count", "error"), rows, right="count")


def counted(count: int) -> str:
    """``1 message``, ``300 messages``."""
    return "1 message" if count == 1 else f"{count} messages"
