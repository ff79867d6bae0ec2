"""Which messages an operator means: by their ids, by the place of a group, or by a search."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import msgspec

from junctor.messages import Status, parse_id
from junctor.node.views.decisions import Kin
from junctor.node.views.messages import PAGE
from junctor.node.views.search import Filter, NothingFound, UnknownFilter, group_of, query_of
from junctor.runtime.resendable import gone
from junctor.transports.base import Archive, Query, Record

ENDED = ("parked", "expired", "failed", "done", "resent", "discarded")
"""The words of status that a selection may ask for: nothing is decided about what is still to be handled."""


class Selection(msgspec.Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What an operator means: ``messages`` by id or number; or all that a ``filter`` finds, of those only the ``group``
    whose place begins with these digits. Parked ones, where the filter names no status. ``filter.limit`` means nothing
    here, and ``service`` is the one that the messages went to.
    """

    messages: list[str] = []
    group: str | None = None
    filter: Filter | None = None


class Chosen(msgspec.Struct, frozen=True):
    """A message that is meant, the address it went to, its type, and the status that it had when it was chosen."""

    seq: int
    target: str
    type: str
    status: Status


def chosen(
    archive: Archive, selection: Selection, hosted: Iterable[str] = (), types: Iterable[str] = ()
) -> tuple[list[Chosen], list[Kin]]:
    """The messages that are meant, oldest first, and what they are, the largest crowd first.

    :param hosted: the addresses of the services that run now, ``types`` the names of the types that they handle.
    :raises NothingFound: an id is unknown, or there is no such group.
    :raises Purged: a message is not stored any more.
    :raises UnknownFilter: nothing is named, or a word of the filter means nothing.
    """
    found: list[Chosen] = []
    kin: Counter[tuple[str, str, str]] = Counter()
    for record in _records(archive, selection, hosted, types):
        message = record.message
        found.append(Chosen(message.seq, message.target, message.type, record.status))
        kin[message.target, message.type, record.failure.type if record.failure else ""] += 1
    crowds = [Kin(service, type_, count, error) for (service, type_, error), count in kin.most_common()]
    return sorted(found, key=lambda one: one.seq), crowds


def named(archive: Archive, which: str) -> Record:
    """A message by its id or number.

    :raises NothingFound: it is no id, or there was never such a message.
    :raises Purged: it is not stored any more.
    """
    try:
        node, seq = parse_id(which.strip())
    except ValueError:
        fix = "An id looks like 42 or a1b2c3d4e5f6-42."
        raise NothingFound(f'"{which}" is not the id of a message', fix=fix) from None
    record = archive.record(seq) if seq < 2**63 else None
    if record is not None and node in ("", record.message.node):
        return record
    latest = archive.search(Query(limit=1))
    if latest and seq < latest[0].message.seq and node in ("", latest[0].message.node):
        raise gone(seq)
    raise NothingFound(f"no message {which} is stored here")


def _records(archive: Archive, selection: Selection, hosted: Iterable[str], types: Iterable[str]) -> Iterator[Record]:
    if selection.messages:
        if selection.group is not None or selection.filter is not None:
            raise UnknownFilter("messages are named, and searched for too", fix="Name them, or search for them.")
        yield from (named(archive, which) for which in dict.fromkeys(selection.messages))
        return
    if selection.group is None and (selection.filter is None or _says_nothing(selection.filter)):
        raise UnknownFilter("no messages are named", fix="Name messages, a group, or what to look for.")
    query, place = _query(archive, selection, hosted, types)
    for record in _all(archive, query):
        if selection.filter is not None and selection.filter.service and record.message.target != query.service:
            continue  # it came from there
        if place is None or (record.failure is not None and record.failure.fingerprint.startswith(place)):
            yield record


def _says_nothing(filter: Filter) -> bool:
    """Whether it would find whatever is parked."""
    return msgspec.structs.replace(filter, limit=0) == Filter(limit=0)


def _query(
    archive: Archive, selection: Selection, hosted: Iterable[str], types: Iterable[str]
) -> tuple[Query, str | None]:
    filter = selection.filter or Filter()
    for word in filter.status or ():
        if word not in ENDED:
            fix = f"Give one of {', '.join(ENDED)}."
            raise UnknownFilter(f"what is {word} is still to be handled, or unknown", where="status", fix=fix)
    place = group_of(archive, selection.group) if selection.group is not None else None
    query = query_of(msgspec.structs.replace(filter, limit=1), archive, hosted, types)
    statuses = query.statuses or (Status.PARKED,)
    return msgspec.structs.replace(query, statuses=statuses, limit=PAGE), place


def _all(archive: Archive, query: Query) -> Iterator[Record]:
    """All that a query finds, newest first."""
    while True:
        page = archive.search(query)
        yield from page
        if len(page) < query.limit:
            return
        query = msgspec.structs.replace(query, before=page[-1].message.seq)
