"""What somebody is told, as a message on its way and as text."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from junctor.clock import instant
from junctor.core.alarm import Alarm, Event, Notification
from junctor.core.signals import counted, lasting
from junctor.errors import JunctorError
from junctor.observe.logs import readable
from junctor.observe.secrets import mask

LISTED = 20
"""Alarms that a notice lists; how many more there are it counts."""

_LONGEST = 500
_HEADS: dict[str, str] = {"raised": "ALERT", "again": "STILL", "resolved": "RESOLVED", "test": "TEST"}


class NotDelivered(JunctorError):
    """An alert did not reach its receiver; it is tried again."""

    code = "alert-not-delivered"
    default_fix = "Try it with `junctor alerts test`."
    reaction = "retry"


class Item(msgspec.Struct, frozen=True):
    """One alarm of a notice. ``command`` shows more of it."""

    service: str
    kind: str
    text: str
    count: int
    since: datetime
    command: str


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What one receiver is told of one rule. Where it goes stands in the rule, looked up when it is sent: ``way`` is
    the destination within the rule, ``to`` says for people who it is, without what is secret.

    ``state`` is raised, again, resolved or test. ``items`` are the alarms it is about, ``more`` such that are not
    listed, ``open`` all that the rule has now. ``text`` ends with the ``command`` to run.
    """

    rule: str
    way: str
    to: str
    state: str
    node: str
    flow: str
    items: tuple[Item, ...]
    more: int
    open: int
    text: str
    command: str
    time: datetime

    @property
    def subject(self) -> str:
        """One line for the head of a mail."""
        return f"[junctor] {self.text.partition(chr(10))[0]}"[:150]

    def payload(self) -> bytes:
        """The notice as JSON for its receiver."""
        return msgspec.json.encode({name: getattr(self, name) for name in self.__struct_fields__ if name != "way"})

    def plain(self) -> dict[str, Any]:
        """The same as plain values: the body of a message."""
        found: dict[str, Any] = msgspec.json.decode(self.payload())
        return found


def notice_of(rule: str, told: Notification, node: str, folder: Path | None, time: int) -> Notice:
    """The notice of a rule, not addressed yet.

    :param rule: ``flow/name``.
    :param node: the node as people know it.
    :param folder: the directory of the node, for the command.
    """
    items = tuple(_item(alarm, folder) for alarm in told.items[:LISTED])
    command = _next(told, items, folder)
    more = len(told.items) - len(items)
    lines = [*_head(rule, told.event, node), *_listed(items, told.event, time)]
    if more:
        lines.append(f"- and {more} more")
    if told.event == "resolved" and told.open:
        lines.append(f"{counted(told.open, 'other')} of this rule still open")
    return Notice(
        rule=rule,
        way="",
        to="",
        state=told.event,
        node=node,
        flow=rule.partition("/")[0],
        items=items,
        more=more,
        open=told.open,
        text="\n".join([*lines, f"run: {command}"]),
        command=command,
        time=instant(time),
    )


def trial_notice(rule: str, node: str, folder: Path | None, time: int) -> Notice:
    """A notice that says of itself that nothing is wrong."""
    command = at_node("junctor alerts", folder)
    text = "\n".join([*_head(rule, "test", node), "- nothing is wrong: somebody tries this alert", f"run: {command}"])
    return Notice(
        rule=rule,
        way="",
        to="",
        state="test",
        node=node,
        flow=rule.partition("/")[0],
        items=(),
        more=0,
        open=0,
        text=text,
        command=command,
        time=instant(time),
    )


def at_node(command: str, folder: Path | None) -> str:
    """The command as it works from any folder of the machine."""
    return command if folder is None else f"{command} --node {shlex.quote(str(folder))}"


def _item(alarm: Alarm, folder: Path | None) -> Item:
    command = at_node(alarm.command, folder)
    text = mask(readable(alarm.text)).replace("\n", " ")[:_LONGEST]
    return Item(alarm.service, alarm.kind, text, alarm.count, instant(alarm.since), command)


def _next(told: Notification, items: tuple[Item, ...], folder: Path | None) -> str:
    commands = {item.command for item in items}
    if len(commands) == 1 and told.event != "resolved":
        return commands.pop()
    parked = told.event != "resolved" and all(item.kind == "parked" for item in items)
    return at_node("junctor parked" if parked else "junctor alerts", folder)


def _head(rule: str, event: Event | str, node: str) -> Iterator[str]:
    yield f"{_HEADS[event]} {rule} at {node}"


def _listed(items: tuple[Item, ...], event: str, time: int) -> Iterator[str]:
    for item in items:
        named = f"{item.service}: " if item.service else ""
        if event == "resolved":
            yield f"- {named}over after {lasting(max(0.0, (instant(time) - item.since).total_seconds()))}: {item.text}"
        else:
            yield f"- {named}{item.text} (since {item.since.astimezone():%Y-%m-%d %H:%M})"
