"""What a shell completes: services, actions, types and nodes, quietly and soon; where no node answers, nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from junctor.node.views.describe import ServiceView
    from junctor.node.views.parked import ParkedView

PATIENCE = 0.5
"""Seconds that somebody who pressed a key waits for a node."""


def services(ctx: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """The services of the node."""
    views = _views(ctx)
    several = len({view.flow for view in views}) > 1
    names = [(f"{view.flow}/{view.service}" if several else view.service, view.doc) for view in views]
    return [CompletionItem(name, help=doc or None) for name, doc in names if name.startswith(begun)]


def actions(ctx: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """The actions and schedules of the service that stands before."""
    entries = [
        entry
        for view in _views(ctx)
        if ctx.params.get("service") in (view.service, f"{view.flow}/{view.service}")
        for entry in view.entries
        if entry.kind in ("action", "schedule") and entry.name.startswith(begun)
    ]
    return [CompletionItem(entry.name, help=entry.doc or f"{entry.kind} {entry.takes}") for entry in entries]


def arguments(ctx: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """``NAME=`` for the parameters of the action that stands before, those that are given already left out."""
    given = {text.partition("=")[0] for text in ctx.params.get("arguments") or ()}
    names = [
        name
        for view in _views(ctx)
        if ctx.params.get("service") in (view.service, f"{view.flow}/{view.service}")
        for entry in view.entries
        if entry.kind == "action" and entry.name == ctx.params.get("action")
        for name in (word.strip(" []") for word in entry.takes.split(","))
    ]
    return [
        CompletionItem(f"{name}=")
        for name in dict.fromkeys(names)
        if name.isidentifier() and name.startswith(begun) and name not in given
    ]


def statuses(ctx: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """What a message may be: the words of ``--status``."""
    from junctor.node.views.search import STATUSES

    return [CompletionItem(word) for word in STATUSES if word.startswith(begun)]


def types(ctx: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """The types of messages that the services take."""
    names = {entry.takes for view in _views(ctx) for entry in view.entries if entry.kind == "handler"}
    return [CompletionItem(name) for name in sorted(names) if name.startswith(begun)]


def errors(ctx: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """The classes of the errors of what is parked."""
    names: dict[str, int] = {}
    for group in _groups(ctx):
        names[group.error] = names.get(group.error, 0) + group.count
    return [CompletionItem(name, help=f"{n} parked") for name, n in sorted(names.items()) if name.startswith(begun)]


def groups(ctx: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """The places of the groups of what is parked, with what each is about."""
    found = {group.fingerprint[:8]: group for group in _groups(ctx)}
    return [
        CompletionItem(place, help=f"{group.count} {group.type} of {group.service}: {group.error}")
        for place, group in found.items()
        if place.startswith(begun)
    ]


def nodes(ctx: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """The nodes of this folder by name, else a path."""
    found: list[CompletionItem] = []
    with contextlib.suppress(OSError):
        names = sorted(path.name for path in Path(".junctor").iterdir() if path.is_dir())
        found = [CompletionItem(name) for name in names if name.startswith(begun)]
    return found or [CompletionItem(begun, type="dir")]


def adapters(ctx: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """The adapters that are installed."""
    from junctor.flows.adapters import adapter_names

    return [CompletionItem(name) for name in adapter_names() if name.startswith(begun)]


def targets(ctx: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Files; the shell knows them."""
    return [CompletionItem(begun, type="file")]


def _views(ctx: click.Context) -> list[ServiceView]:
    with contextlib.suppress(Exception):  # whatever is wrong there, a shell that completes says nothing
        return list(_asked(ctx.params.get("node")))
    return []


def _groups(ctx: click.Context) -> list[ParkedView]:
    with contextlib.suppress(Exception):  # as above
        return _parked(ctx.params.get("node"))
    return []


def _parked(node: str | None) -> list[ParkedView]:
    from junctor.node import directory
    from junctor.node.control.client import NodeClient
    from junctor.node.views.parked import ParkedView

    client = NodeClient(directory.find(node))
    try:
        found: list[ParkedView] = client.ask("parked", list[ParkedView], patience=PATIENCE)
        return found
    finally:
        client.close()


def _asked(node: str | None) -> Iterator[ServiceView]:
    from junctor.node import directory
    from junctor.node.control.client import NodeClient
    from junctor.node.views.describe import ServiceView

    client = NodeClient(directory.find(node))  # one that starts is not waited for
    try:
        yield from client.ask("services", list[ServiceView], patience=PATIENCE)
    finally:
        client.close()
