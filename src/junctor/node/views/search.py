"""From the words of an operator to what the archive is asked: filters, message ids, sessions by their first digits."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from junctor.clock import SECOND
from junctor.core.records import FieldTerm
from junctor.errors import JunctorError, nearest
from junctor.messages import Status, parse_id, session_called
from junctor.node.views.fields import SYNTAX, field_term
from junctor.transports.base import Archive, Query

PAGE = 500
LIMIT = 1000
FIELDS = 50
"""Terms about the body that one search may have: each is a look into every body."""
_HEX = set("0123456789abcdef")

STATUSES: dict[str, tuple[Status, ...]] = {
    **{status.name.lower(): (status,) for status in Status},
    "held": (Status.READY, Status.WAITING),
    "open": tuple(status for status in Status if status < Status.DONE),
}
"""The words for a status and what they are in the store. ``held`` is what waits for a service that is held, which only
its running node knows; ``open`` is everything still owed to a handler."""


class NothingFound(JunctorError):
    """No message and no session answers to the given id."""

    code = "nothing-found"
    default_fix = "`junctor messages` lists the latest messages with their ids and sessions."
    status = 404


class UnknownFilter(JunctorError):
    """A filter of a search has a value that means nothing."""

    code = "unknown-filter"
    default_fix = "`junctor messages --help` lists the filters."
    status = 422


class Filter(msgspec.Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What to look for; None means any. ``service`` is a name, or flow/name; ``status`` words as in :data:`STATUSES`.

    ``session`` may be the first digits. ``error`` is the name of the class of an error of any attempt, or a text in it.
    ``fields`` are terms about the body, see :func:`junctor.node.views.fields.field_term`. ``before`` continues a
    listing below this ``seq``. At most ``limit`` rows.
    """

    service: str | None = None
    type: str | None = None
    status: list[str] | None = None
    session: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None
    error: str | None = None
    fields: list[str] | None = None
    before: int | None = None
    limit: int = 50


def shown_words(filter: Filter) -> set[str] | None:
    """The words of status that the filter lets through, as messages show them; None for all."""
    if not filter.status:
        return None
    return {word for asked in filter.status for word in (_OPEN if asked == "open" else (asked,))}


_OPEN = ("ready", "claimed", "waiting", "held")


def query_of(filter: Filter, archive: Archive, hosted: Iterable[str] = (), types: Iterable[str] = ()) -> Query:
    """The query of a filter.

    :param hosted: the addresses of the services that run now.
    :param types: the names of the types that they handle.
    :raises UnknownFilter: a status, service or type is unknown, a filter is empty, a field says nothing, or the limit
        is out of bounds.
    :raises NothingFound: no session begins with the given digits.
    """
    _refuse_empty(filter)
    if not 1 <= filter.limit <= LIMIT:
        raise UnknownFilter(f"limit is {filter.limit}", fix=f"Give 1 to {LIMIT}, and `before` to go on.")
    if len(filter.fields or ()) > FIELDS:
        raise UnknownFilter(f"{len(filter.fields or ())} fields are given", fix=f"Give at most {FIELDS}.")
    if filter.before is not None and not 0 <= filter.before < 2**63:
        raise UnknownFilter(f"before is {filter.before}", fix="Give the number of a message.")
    return Query(
        service=None if filter.service is None else address_of(filter.service, archive, hosted),
        type=None if filter.type is None else _type(filter.type, archive, types),
        statuses=_statuses(filter.status) if filter.status else None,
        session=None if filter.session is None else find_session(archive, filter.session),
        since=_nanoseconds(filter.since, "since"),
        until=_nanoseconds(filter.until, "until"),
        text=filter.text,
        error=filter.error,
        fields=tuple(_field(text) for text in filter.fields or ()),
        before=filter.before,
        limit=filter.limit,
    )


def _refuse_empty(filter: Filter) -> None:
    """An empty word would fit everything: mostly it is a variable of a script that has no value, and what follows may
    be a resend, or a discard, of all there is."""
    for name in ("service", "type", "session", "text", "error"):
        if getattr(filter, name) == "":
            raise UnknownFilter(f"{name} is empty", fix="Give it a value, or leave it out.")


def address_of(name: str, archive: Archive, hosted: Iterable[str] = ()) -> str:
    """The address of a service by its name: one that runs, else one that messages came from or went to.

    :raises UnknownFilter: there is none, or several flows have one.
    """
    if "/" in name:
        return name
    for addresses in (set(hosted), _addresses(archive)):
        found = sorted(address for address in addresses if address.rpartition("/")[2] == name)
        if len(found) == 1:
            return found[0]
        if found:
            fix = f"Give one of {', '.join(found)}."
            raise UnknownFilter(f'several flows have a service "{name}"', where="service", fix=fix)
    known = {address.rpartition("/")[2] for address in (*hosted, *_addresses(archive))}
    raise UnknownFilter(f'there is no service "{name}"', where="service", fix=nearest(name, known).rstrip() or None)


def _addresses(archive: Archive) -> set[str]:
    return {*archive.depths(), *archive.addresses()}


def _type(name: str, archive: Archive, types: Iterable[str]) -> str:
    known = {*types, *(record.message.type for record in archive.search(Query(limit=PAGE)))} - {"", "None"}
    if name in known or archive.search(Query(type=name, limit=1)):
        return name
    raise UnknownFilter(f'there is no type "{name}"', where="type", fix=nearest(name, known).rstrip() or None)


def _field(text: str) -> FieldTerm:
    try:
        return field_term(text)
    except ValueError as error:
        raise UnknownFilter(str(error), where="field", fix=SYNTAX) from None


def _statuses(words: list[str]) -> tuple[Status, ...]:
    found: list[Status] = []
    for word in words:
        if word not in STATUSES:
            raise UnknownFilter(f'there is no status "{word}"', fix=nearest(word, STATUSES).rstrip())
        found += STATUSES[word]
    return tuple(dict.fromkeys(found))


def _nanoseconds(instant: datetime | None, where: str) -> int | None:
    if instant is None:
        return None
    aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    found = int(aware.timestamp() * SECOND)
    if not -(2**63) <= found < 2**63:
        raise UnknownFilter(f"{instant:%Y-%m-%d} is beyond all times", where=where, fix="Give 1678 to 2261.")
    return found


class Asked(NamedTuple):
    """What a trace is asked for: a session, and the message in it, 0 where the session itself was named."""

    session: int
    seq: int = 0


def asked_for(archive: Archive, which: str) -> Asked:
    """A message by its id (``a1b2c3-42``, or ``42`` within the node), or a session: see :func:`find_session`.

    :raises NothingFound: nothing answers to it, or several sessions do; then the text lists them.
    """
    name = which.strip()
    which = name.lower()
    if which.startswith("0") and "-" not in which:  # digits of a session: no number of a message is written like that
        return Asked(find_session(archive, name))
    try:
        node, seq = parse_id(which)
    except ValueError:
        return Asked(find_session(archive, name))
    record = archive.record(seq) if seq < 2**63 else None
    if record is not None and node in ("", record.message.node):
        return Asked(record.message.session, seq)
    if node and not _has(archive, session_called(name)):
        raise NothingFound(f"no message {name} is stored here, and no session that is called so")
    return Asked(find_session(archive, name))


def find_session(archive: Archive, name: str) -> int:
    """The session that begins or ends with these hexadecimal digits, or has this name in another system: the
    correlation id of a request.

    :raises NothingFound: none does, or several do.
    """
    called = session_called(name.strip())
    if name.strip() and _has(archive, called):
        return called
    digits = name.strip().lower().replace("-", "")
    if not digits or not set(digits) <= _HEX or len(digits) > 32:
        raise NothingFound(
            f'"{name.strip()}" is neither a message id nor a session, and no correlation id of one that is stored here',
            fix="An id looks like 42 or a1b2c3d4e5f6-42, a session like 32 hexadecimal digits or the first of them.",
        )
    if len(digits) == 32:
        return int(digits, 16)
    found = archive.sessions(digits)
    if len(found) == 1:
        return found[0]
    if not found:
        raise NothingFound(f"no message and no session {digits} is stored here")
    listed = ", ".join(f"{session:032x}" for session in found[:3])
    count = "several" if len(found) > 3 else len(found)
    raise NothingFound(f"{count} sessions begin or end with {digits}", fix=f"Give more digits: {listed}.")


def _has(archive: Archive, session: int) -> bool:
    return bool(archive.session(session, 0, 1))


def group_of(archive: Archive, digits: str) -> str:
    """The digits of a group of parked messages, as the column ``place`` shows them.

    :raises UnknownFilter: there are no digits.
    :raises NothingFound: no group begins with them.
    """
    if not digits:
        raise UnknownFilter("the place of the group is empty", fix="`junctor parked` lists the places.")
    known = [group.fingerprint for group in archive.parked()]
    if any(place.startswith(digits.lower()) for place in known):
        return digits.lower()
    fix = nearest(digits, {place[:8] for place in known}).rstrip() or "Nothing is parked."
    raise NothingFound(f'no parked messages have the place "{digits}"', fix=fix)
