"""What productions there are, and how they are."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from junctor.core.spec import service_name
from junctor.dialects.iop.director.place import Namespace
from junctor.errors import JunctorError
from junctor.flows.comparison import Changes
from junctor.node import directory as directories
from junctor.node.control.client import NodeClient
from junctor.node.control.wire import ConnectionLost, NoAnswer
from junctor.node.views.status import NodeStatus
from junctor.node.views.stopped import Live, Reading, StoppedNode

LOADING = 60.0
"""Seconds in which a node loads its production, to tell what an update would change."""


def listed(place: Namespace) -> dict[str, dict[str, Any]]:
    """Each production of the namespace with its state and its latest start and stop."""
    return {name: _listed(place, name) for name in place.registry().productions}


def _listed(place: Namespace, name: str) -> dict[str, Any]:
    life = place.life(name)
    runs = place.runs(name)
    return {
        "Status": state_of(place, name).title(),
        "LastStartTime": _stamp(life.started),
        "LastStopTime": "" if runs else _stamp(life.stopped),
        "AutoStart": 0,
    }


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).isoformat(" ", "milliseconds") if seconds else ""


def state_of(place: Namespace, name: str) -> str:
    """``running``; ``stopped``; ``suspended``, stopped while messages wait; ``troubled``, it ended without a stop; or
    ``unknown``: it does not answer."""
    directory = place.directory(name)
    if place.runs(name):
        return _running_state(directory)
    life = place.life(name)
    if life.started and not life.stopped:
        return "troubled"
    with contextlib.suppress(JunctorError), reading(directory) as source:
        if any(service.queued for service in source.status().services):
            return "suspended"
    return "stopped"


def _running_state(directory: Path) -> str:
    try:
        with contextlib.closing(NodeClient(directory)) as client:
            client.ask("ping", patience=2.0)
    except JunctorError:
        return "unknown"
    return "running"


def status(place: Namespace) -> dict[str, Any]:
    """The production that runs, else the default one, else that which ran last: its state, and whether an update would
    change something."""
    name = place.running() or place.registry().default or place.last()
    found: dict[str, Any] = {"Production": name, "Status": state_of(place, name) if name else "stopped"}
    message = _update_message(place.directory(name)) if found["Status"] == "running" else ""
    found["NeedsUpdate"] = bool(message)
    return found | ({"UpdateMessage": message} if message else {})


def _update_message(directory: Path) -> str:
    """What an update would change, or why there can be none; empty when nothing would."""
    try:
        with contextlib.closing(NodeClient(directory)) as client:
            changes: list[Changes] = client.ask("apply", list[Changes], patience=LOADING, dry_run=True)
    except JunctorError as error:
        return str(error)
    return "; ".join(_lines(changes))


def update(place: Namespace) -> list[str]:
    """Let the production that runs go over to what was migrated, with code that changed; a line for each change.

    :raises NoProduction: none runs.
    :raises ConfigurationError: something is wrong; nothing has changed.
    """
    _, client = place.client()
    with contextlib.closing(client):
        return _lines(client.ask("apply", list[Changes], patience=LOADING))


def check(place: Namespace) -> None:
    """Let the production that runs try what was migrated, before it is stopped for that. One that does not answer is
    not asked.

    :raises NoProduction: none runs.
    :raises ConfigurationError: something is wrong.
    """
    _, client = place.client()
    with contextlib.closing(client), contextlib.suppress(ConnectionLost, NoAnswer):
        client.ask("apply", list[Changes], patience=LOADING, dry_run=True, leave_runs=True)


def _lines(changes: list[Changes]) -> list[str]:
    return [line.strip() for change in changes if change.kind != "same" for line in change.lines() if line[:3] != "  ="]


@contextlib.contextmanager
def reading(directory: Path) -> Iterator[Reading]:
    """The node of a production where it runs, else its store.

    :raises NodeNotFound: it has neither.
    """
    if directories.is_running(directory):
        with contextlib.closing(NodeClient(directory)) as client:
            yield Live(client)
    else:
        with contextlib.closing(StoppedNode(directory)) as stopped:
            yield stopped


def queues(place: Namespace, production: str | None) -> dict[str, Any]:
    """How many messages wait for each item of a production."""
    definition = place.meant(production)
    directory = place.directory(definition.name)
    known: NodeStatus | None = None
    warnings = []
    try:
        with reading(directory) as source:
            known = source.status()
    except JunctorError:
        warnings.append(f"{definition.name} was not started yet")
    services = {service.service: service for service in known.services} if known is not None else {}
    items = []
    for item in definition.items:
        service = services.get(service_name(item.name))
        items.append(
            {
                "item": item.name,
                "queue_name": item.name,
                "class_name": item.class_name,
                "exists": service is not None,
                "count": service.queued if service is not None else 0,
            }
        )
    names = {service_name(item.name) for item in definition.items}
    for name, service in services.items():
        if service.queued and name not in names:
            warnings.append(f"{service.queued} waiting for {name}, which the production has not")
    return {"production": definition.name, "items": items, "warnings": warnings}
