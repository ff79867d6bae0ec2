"""What several commands share: their options, and the node they ask, running or not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from junctor.errors import NodeNotFound
from junctor.node import directory
from junctor.node.client import NodeClient
from junctor.node.stopped import Live, Reading, StoppedNode

Command = TypeVar("Command", bound=Callable[..., Any])


def node_option(command: Command) -> Command:
    """``--node``: the data directory, or the name of one in ./.junctor."""
    return click.option("--node", metavar="PATH|NAME", help="The node; else by folder or $JUNCTOR_NODE.")(command)


def json_option(command: Command) -> Command:
    """``--json``: for scripts."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)


def header_option(command: Command) -> Command:
    """``--header NAME=VALUE``, several times."""
    option = click.option("--header", "headers", multiple=True, metavar="NAME=VALUE", help="A header; repeatable.")
    return option(command)


def pairs(texts: tuple[str, ...], what: str) -> dict[str, str]:
    """``NAME=VALUE`` words as a dictionary.

    :raises click.BadParameter: a word has no ``=``, or a name comes twice.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise click.BadParameter(f'{what} "{text}" has no value: write {name or "name"}=value')
        if name in found:
            raise click.BadParameter(f'{what} "{name}" is given twice')
        found[name] = value
    return found


def running_node(node: str | None) -> NodeClient:
    """The client of a node that runs.

    :raises NodeNotFound: it does not run, or there is none.
    """
    return NodeClient(directory.find(node))


@contextmanager
def reading(node: str | None) -> Iterator[Reading]:
    """The node where it runs, else its store, with a line on standard error that says so.

    :raises NodeNotFound: there is neither.
    """
    path = directory.find(node)
    try:
        client = NodeClient(path)
    except NodeNotFound:
        with StoppedNode(path) as stopped:
            click.echo(f"The node is down; this is read from its store {path}", err=True)
            yield stopped
        return
    try:
        yield Live(client)
    finally:
        client.close()
