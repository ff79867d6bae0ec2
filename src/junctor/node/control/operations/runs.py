"""Runs of workflows and conversations: what there is, and what is done with one."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from junctor.core.port import Receipt
from junctor.node import runs as doing
from junctor.node.control.table import operation
from junctor.node.views.runs import Retried, RunFilter, RunHistory, RunView, find_run, history_of, listed_runs

if TYPE_CHECKING:
    from junctor.node.node import Node

NOTHING = msgspec.Raw(b"null")

_MOST = 100_000


@operation("runs", permission="read")
async def runs(
    node: Node,
    service: str | None = None,
    status: list[str] | None = None,
    key: str | None = None,
    since: datetime | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[RunView]:
    """Runs that fit all filters, newest first."""
    filter = RunFilter(service=service, status=status, key=key, since=since, before=before, limit=limit)
    hosted = list(node.engine.hosts)
    return await node.read(lambda archive: listed_runs(archive, filter, hosted))


@operation("run", permission="read")
async def run(node: Node, which: str, limit: int = 200) -> RunHistory:
    """A run with its history, by number, id or key. ``limit``: so many of its turns, the first and the last ones."""
    most = max(2, min(limit, _MOST))
    return await node.read(lambda archive: history_of(archive, find_run(archive, which), most))


@operation("run-signal", permission="send")
async def run_signal(node: Node, which: str, name: str, body: msgspec.Raw = NOTHING) -> Receipt:
    """Send a signal to a run; answers when it is accepted."""
    return await doing.signal(node, which, name, bytes(body))


@operation("run-query", permission="read")
async def run_query(
    node: Node, which: str, name: str, arguments: dict[str, Any] | None = None, text: bool = False
) -> Any:
    """What a query of a run answers. ``text``: the arguments were typed, "5" may also be a number."""
    return await doing.query(node, which, name, arguments or {}, text)


@operation("run-cancel", permission="operate")
async def run_cancel(node: Node, who: str, which: str, reason: str = "", now: bool = False) -> RunView:
    """Tell a run to end. Answers when that is accepted; its code may take its time. ``now``: end it without its code.
    Answers when it has ended."""
    return await doing.cancel(node, which, who, reason, now)


@operation("run-retry", permission="operate")
async def run_retry(node: Node, who: str, which: str, from_step: int | None = None) -> Retried:
    """Let a suspended run go on. ``from_step``: begin a new run that keeps what came before that step."""
    if from_step is not None:
        return await doing.begin_from(node, which, from_step, who)
    return await doing.retry(node, which, who)
