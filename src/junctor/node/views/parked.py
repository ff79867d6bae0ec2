"""Parked messages in groups that failed alike."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any

import msgspec

from junctor.core.outcome import Failure
from junctor.messages import HANDLER, Status
from junctor.node.views.messages import (
    PAGE,
    MessageView,
    instant,
    label_of,
    message_view,
    never_held,
    note_view,
    pages,
)
from junctor.transports.base import Archive, ParkedGroup, Query, Record

NOTED = 1000
"""Parked messages whose notes are counted in a listing of groups."""


class ParkedView(msgspec.Struct, omit_defaults=True):
    """Parked messages that failed alike. ``command`` shows the latest of them, ``body``, ``headers`` and ``line``, the
    line of the user's code that failed, are its own. ``resend`` is the command that sends them all again.

    ``members`` has the messages themselves, newest first, where they were asked for. ``notes`` counts what operators
    said about the latest :data:`NOTED` parked messages.
    """

    service: str
    type: str
    error: str
    text: str
    fingerprint: str
    count: int
    first: datetime
    last: datetime
    latest: int
    command: str
    body: Any = msgspec.UNSET
    headers: dict[str, str] = {}
    line: str = ""
    members: list[MessageView] = []
    notes: int = 0
    resend: str = ""

    @property
    def label(self) -> str:
        """What people know the messages by, as the latest of them."""
        return label_of(self.type, self.headers.get(HANDLER, ""))


def groups_of(
    archive: Archive, address: str | None = None, group: str | None = None, members: int = 0
) -> list[ParkedView]:
    """The groups of parked messages, the most recent failure first.

    :param address: of this service only.
    :param group: whose place in the code begins with these digits.
    :param members: so many messages of each group, newest first.
    """
    groups = [
        found
        for found in sorted(archive.parked(), key=lambda found: -found.last)
        if (address is None or found.service == address) and (group is None or found.fingerprint.startswith(group))
    ]
    views = {_kinship(found): _parked(found, archive.record(found.latest_seq)) for found in groups}
    if views:
        _add_members(archive, views, address, members)
        _count_notes(archive, views, address)
    return list(views.values())


_Kinship = tuple[str, str, str, str]


def _kinship(group: ParkedGroup) -> _Kinship:
    return group.service, group.type, group.error, group.fingerprint


def _add_members(archive: Archive, views: dict[_Kinship, ParkedView], address: str | None, count: int) -> None:
    missing = sum(min(view.count, count) for view in views.values())
    for record in _records(archive, address) if missing else ():
        view = views.get(_kinship_of(record))
        if view is not None and len(view.members) < count:
            view.members.append(_member(archive, record))
            missing -= 1
            if not missing:
                return


def _records(archive: Archive, address: str | None) -> Iterator[Record]:
    """What is parked, newest first."""
    return pages(archive, Query(service=address, statuses=(Status.PARKED,), limit=PAGE))


def _kinship_of(record: Record) -> _Kinship:
    message, failure = record.message, record.failure or Failure("", "")
    return message.target, message.type, failure.type, failure.fingerprint


def _member(archive: Archive, record: Record) -> MessageView:
    view = message_view(record, never_held, bodies=True)
    view.notes = [note_view(note) for note in archive.notes([view.seq])]
    return view


def _count_notes(archive: Archive, views: dict[_Kinship, ParkedView], address: str | None) -> None:
    latest = {record.message.seq: _kinship_of(record) for record in islice(_records(archive, address), NOTED)}
    for note in archive.notes(latest):
        view = views.get(latest[note.seq])
        if view is not None:
            view.notes += 1


def _parked(group: ParkedGroup, latest: Record | None) -> ParkedView:
    view = ParkedView(
        group.service,
        group.type,
        group.error,
        group.text,
        group.fingerprint,
        group.count,
        instant(group.first),
        instant(group.last),
        group.latest_seq,
        f"junctor trace {group.latest_seq}",
        resend=f"junctor resend --group {group.fingerprint[:8]}" if group.fingerprint else "",
    )
    if latest is not None:
        shown = message_view(latest, never_held, bodies=True)
        view.body, view.headers = shown.body, shown.headers
        view.line = shown.error.line if shown.error is not None else ""
    return view
