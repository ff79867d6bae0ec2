"""What operators ask of stored messages, answered from an archive: of a running node, or of a store alone."""

from __future__ import annotations

from collections.abc import Iterable

from junctor.node.views.messages import Held, MessageView, listed, never_held
from junctor.node.views.moment import STOPPED, Moment
from junctor.node.views.parked import ParkedView, groups_of
from junctor.node.views.search import (
    LIMIT,
    Filter,
    NothingFound,
    address_of,
    asked_for,
    group_of,
    query_of,
    shown_words,
)
from junctor.node.views.trace import Trace, trace_of
from junctor.transports.base import Archive


def messages(
    archive: Archive,
    filter: Filter,
    bodies: bool = False,
    held: Held = never_held,
    hosted: Iterable[str] = (),
    types: Iterable[str] = (),
) -> list[MessageView]:
    """Messages that fit the filter, newest first.

    :param bodies: with body and headers.
    :param hosted: the addresses of the services that run now, ``types`` the names of the types that they handle.
    :raises UnknownFilter: a word of the filter means nothing.
    """
    return listed(archive, query_of(filter, archive, hosted, types), held, shown_words(filter), bodies)


def trace(archive: Archive, which: str, whole: bool = False, moment: Moment = STOPPED) -> Trace:
    """The trace of a message or session.

    :param whole: of a message, the whole session.
    :param moment: what only a running node knows.
    :raises NothingFound: nothing answers to ``which``.
    """
    asked = asked_for(archive, which)
    found = trace_of(archive, asked.session, moment, 0 if whole else asked.seq)
    if found is None:
        raise NothingFound(f"nothing of session {which} is stored here")
    return found


def parked(
    archive: Archive, service: str | None = None, group: str | None = None, members: int = 0, hosted: Iterable[str] = ()
) -> list[ParkedView]:
    """The groups of parked messages.

    :param group: the place of a group, or its first digits.
    :param members: so many messages of each.
    :raises UnknownFilter: there is no such service, or a word is empty.
    :raises NothingFound: there is no such group.
    """
    address = None if service is None else address_of(service, archive, hosted)
    place = None if group is None else group_of(archive, group)
    return groups_of(archive, address, place, max(0, min(members, LIMIT)))
