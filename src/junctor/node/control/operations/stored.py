"""What is stored: messages, traces, parked groups, alerts."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from junctor.node.alerting.alerting import OpenAlert, Tried
from junctor.node.control.table import operation
from junctor.node.views import answers
from junctor.node.views.alerts import AlertView, latest_alerts
from junctor.node.views.messages import MessageView
from junctor.node.views.moment import moment_of
from junctor.node.views.parked import ParkedView
from junctor.node.views.search import Filter
from junctor.node.views.trace import Trace

if TYPE_CHECKING:
    from junctor.node.node import Node


@operation("messages", permission="read")
async def messages(
    node: Node,
    service: str | None = None,
    type: str | None = None,
    status: list[str] | None = None,
    session: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    text: str | None = None,
    error: str | None = None,
    fields: list[str] | None = None,
    before: int | None = None,
    limit: int = 50,
    bodies: bool = False,
) -> list[MessageView]:
    """Messages that fit all filters, newest first. ``bodies``: with body and headers."""
    filter = Filter(
        service=service,
        type=type,
        status=status,
        session=session,
        since=since,
        until=until,
        text=text,
        error=error,
        fields=fields,
        before=before,
        limit=limit,
    )
    hosted = list(node.engine.hosts)
    types = [kind.name for flow in node.engine.flows.values() for kind in flow.types]
    return await node.read(lambda archive: answers.messages(archive, filter, bodies, node.is_held, hosted, types))


@operation("trace", permission="read")
async def trace(node: Node, which: str, whole: bool = False) -> Trace:
    """A message with its causes and effects, or the session that begins with these digits.

    ``whole``: of a message, the whole session.
    """
    moment = moment_of(node.engine)
    return await node.read(lambda archive: answers.trace(archive, which, whole, moment))


@operation("parked", permission="read")
async def parked(
    node: Node, service: str | None = None, group: str | None = None, members: int = 0
) -> list[ParkedView]:
    """Parked messages, grouped by service, type, error and place in the code.

    ``group`` is the place or its first digits; ``members``: so many messages of each group.
    """
    hosted = list(node.engine.hosts)
    return await node.read(lambda archive: answers.parked(archive, service, group, members, hosted))


@operation("alerts", permission="read")
async def alerts(node: Node, limit: int = 50) -> list[AlertView]:
    """The latest alerts, newest first."""
    return await node.read(lambda archive: latest_alerts(archive, max(1, min(limit, 1000))))


@operation("alerts-open", permission="read")
async def alerts_open(node: Node) -> list[OpenAlert]:
    """What is wrong now: the alarms of the rules, and what a node always tells."""
    return await node.alerting.open()


@operation("alerts-test", permission="operate")
async def alerts_test(node: Node, rule: str | None = None) -> list[Tried]:
    """Send a test notice to each receiver of a rule, or of all; what came of it.

    ``rule``: its name, or flow/name.
    """
    return [await node.aside(attempt) for attempt in node.alerting.tests(rule)]
