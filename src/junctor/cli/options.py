"""What several commands share: their options, and the node they ask, running or not."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click
import msgspec

from junctor.cli import completing
from junctor.errors import NodeNotFound, SeveralProblems
from junctor.flows import FlowModel, Overrides
from junctor.node import directory
from junctor.node.control.client import NodeClient
from junctor.node.process import starting
from junctor.node.views.stopped import Live, Reading, StoppedNode

SLOW = 2.0
"""Seconds after which a command that waits for a node says so."""

Command = TypeVar("Command", bound=Callable[..., Any])


class FlowArguments(msgspec.Struct, frozen=True):
    """What ``run``, ``check``, ``graph``, ``apply`` and others take: the flows a user names, and what is said over
    them."""

    targets: tuple[str, ...]
    overrides: Overrides

    def or_here(self) -> FlowArguments:
        """The same, with this folder where no TARGET is given."""
        return self if self.targets else msgspec.structs.replace(self, targets=(".",))

    def load(self) -> list[FlowModel]:
        """The flows, loaded one after the other.

        :raises ConfigurationError: one of them cannot be used as written.
        """
        from junctor.flows import load
        from junctor.flows.code.source import for_nobody

        if len(self.targets) == 1:
            return [load(self.targets[0], self.overrides)]
        if self.overrides.name:
            raise click.UsageError("--name names one flow; several targets have the names in their files")
        overrides = msgspec.structs.replace(self.overrides, beside=True)
        flows = [load(target, overrides) for target in self.targets]
        problems = list(for_nobody(flows, overrides))
        if problems:
            raise SeveralProblems.of(problems, "command line")
        return flows


def flow_options(command: Command) -> Command:
    """``TARGET...`` with ``--overlay``, ``--env-file``, ``--set`` and ``--name``; the command gets ``flows``."""
    return _flow_options(command, required=True)


def optional_flow_options(command: Command) -> Command:
    """The same where no TARGET has a meaning too."""
    return _flow_options(command, required=False)


def _flow_options(command: Command, required: bool) -> Command:
    metavar = "TARGET..." if required else "[TARGET]..."

    @functools.wraps(command)
    def collected(
        *args: Any,
        targets: tuple[str, ...],
        overlays: tuple[str, ...],
        env_files: tuple[str, ...],
        changes: tuple[str, ...],
        name: str | None,
        **more: Any,
    ) -> Any:
        overrides = Overrides(overlays=overlays, env_files=env_files, set=changes, name=name)
        return command(*args, flows=FlowArguments(targets, overrides), **more)

    for option in (
        click.option("--name", metavar="NAME", help="The name of the flow; from the file by default."),
        click.option(
            "--set", "changes", multiple=True, metavar="SERVICE.SETTING=VALUE", help="Change a setting; repeatable."
        ),
        click.option("--env-file", "env_files", multiple=True, metavar="FILE", help="NAME=value lines for ${NAME}."),
        click.option("--overlay", "overlays", multiple=True, metavar="FILE", help="Merged over the flow; repeatable."),
        click.argument("targets", metavar=metavar, nargs=-1, required=required, shell_complete=completing.targets),
    ):
        collected = option(collected)
    return collected  # type: ignore[return-value]


def node_option(command: Command) -> Command:
    """``--node``: the data directory, or the name of one in ./.junctor."""
    option = click.option(
        "--node",
        metavar="PATH|NAME",
        help="The node; else by folder or $JUNCTOR_NODE.",
        shell_complete=completing.nodes,
    )
    return option(command)


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
    """The client of a node that runs; one that may be starting is waited for.

    :raises NodeNotFound: it does not run, or there is none.
    """
    return starting.awaited(lambda: starting.client_of(directory.find(node)))


@contextmanager
def reading(node: str | None) -> Iterator[Reading]:
    """The node where it runs, else its store, with a line on standard error that says so. Only a node that is known to
    be starting is waited for, and where nothing is found at all.

    :raises NodeNotFound: there is neither.
    """
    try:
        found = starting.awaited(lambda: _live_or_stopped(node, patient=True))
    except starting.StillStarting:
        found = _live_or_stopped(node, patient=False)
    with found as source:
        yield source


def _live_or_stopped(node: str | None, patient: bool) -> _Open:
    path = directory.find(node)
    try:
        return _Open(Live(client := starting.client_of(path)), client.close)
    except NodeNotFound:
        pid = starting.starter(path)
        if pid and patient:
            raise starting.StillStarting("the node takes no questions yet", where=str(path)) from None
    try:
        stopped = StoppedNode(path)
    except NodeNotFound as error:
        if not directory.may_start(path):
            raise
        raise directory.MayStart(error.what, where=error.where, fix=error.fix) from None
    state = f"The node takes no questions (process {pid} starts or ends it)" if pid else "The node is down"
    click.echo(f"{state}; this is read from its store {path}", err=True)
    return _Open(stopped, stopped.close)


@contextmanager
def said_after(text: str, seconds: float = SLOW) -> Iterator[None]:
    """Tell a line on standard error when what is done inside has taken so long."""
    timer = threading.Timer(seconds, lambda: click.echo(text, err=True))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


class _Open:
    """Something to read from, closed at the end."""

    def __init__(self, source: Reading, close: Callable[[], None]) -> None:
        self._source = source
        self._close = close

    def __enter__(self) -> Reading:
        return self._source

    def __exit__(self, *_: object) -> None:
        self._close()
