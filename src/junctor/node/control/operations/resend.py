"""What becomes of messages that were put aside: sent again, discarded, noted."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import msgspec

from junctor.core.batches import RATE, STOP_AT
from junctor.core.edits import EditRefused, put_back, with_changes
from junctor.errors import JunctorError, NoHandler
from junctor.messages.sensitive import Path, restored
from junctor.node.control.arguments import WrongArgument
from junctor.node.control.entries import host_of
from junctor.node.control.table import operation
from junctor.node.resend import Pace, obstacle, refusal
from junctor.node.views.decisions import Discarded, Kin, Preview, ResendView
from junctor.node.views.messages import MessageView, NoteView, instant, message_view, note_view, plain
from junctor.node.views.search import Filter, UnknownFilter
from junctor.node.views.selection import Chosen, Selection, chosen, named
from junctor.observe.secrets import MASKED
from junctor.runtime.resendable import Edit, Resending, prepared

if TYPE_CHECKING:
    from junctor.node.node import Node

log = logging.getLogger("junctor.node")

SHOWN = 20
"""Messages that a preview shows."""

NOTE = 10_000
"""Characters of a note: it is shown wherever its message is."""

NO_BODY = msgspec.Raw(b"")

_PAGE = 100


@operation("resend", permission="operate")
async def resend(
    node: Node,
    who: str,
    messages: list[str] | None = None,
    group: str | None = None,
    filter: Filter | None = None,
    to: str | None = None,
    again: bool = False,
    rate: float = 0.0,
    stop_at: float = STOP_AT,
    body: msgspec.Raw = NO_BODY,
    changes: dict[str, Any] | None = None,
    text: bool = False,
) -> ResendView:
    """Begin to send messages again: named ones, or all parked ones of a group or that a filter finds. Answers the job.

    ``rate`` messages a second; it stops when more than the share ``stop_at`` fails. ``to`` another service. ``body``
    (of one message) or ``changes`` by path edit it; ``text``: the changes were typed, "5" may be a number.
    """
    _check_pace(rate, stop_at)
    selection = Selection(messages=messages or [], group=group, filter=filter)
    found, _ = await _chosen(node, selection)
    how = _how(node, found, who, to, again, body, changes, text)
    if bytes(body) and len(found) != 1:
        raise UnknownFilter(f"one body is given for {len(found)} messages", fix="Name one message, or give changes.")
    await _check_first(node, found, how, all_of_them=bool(messages))
    return node.resends.start(found, how, Pace(rate=rate, stop_at=stop_at)).view if found else _nothing(node, who)


@operation("resend-preview", permission="operate")
async def resend_preview(
    node: Node,
    messages: list[str] | None = None,
    group: str | None = None,
    filter: Filter | None = None,
    to: str | None = None,
    again: bool = False,
    body: msgspec.Raw = NO_BODY,
    changes: dict[str, Any] | None = None,
    text: bool = False,
) -> Preview:
    """What ``resend`` with these arguments would do; every message is checked, and nothing is sent."""
    found, kin = await _chosen(node, Selection(messages=messages or [], group=group, filter=filter))
    how = _how(node, found, "", to, again, body, changes, text)
    preview = Preview(len(found), kin)
    for begin in range(0, len(found), _PAGE):
        page = [one.seq for one in found[begin : begin + _PAGE]]
        for record in _stored(await node.resends.decisions.records(page)):
            try:
                prepared(node.engine, record, how)
            except JunctorError as error:
                _refuse(preview, record.message.seq, error)
    services = {how.to} if how.to else {one.target for one in found}
    preview.obstacles = [reason for address in sorted(services) if (reason := obstacle(node.engine, address))]
    return preview


@operation("resend-progress", permission="read")
async def resend_progress(node: Node, job: int, seen: int = -1, wait: float = 0.0) -> ResendView:
    """How a job is: at once when that differs from the ``changes`` seen, else after ``wait`` seconds at the latest."""
    for one in node.resends.jobs:
        if one.view.job == job:
            return await one.changed(seen, max(0.0, min(wait, 30.0)))
    raise UnknownFilter(f"there is no job {job}", where="resend", fix="`junctor resend --jobs` lists them.")


@operation("resend-jobs", permission="read")
async def resend_jobs(node: Node) -> list[ResendView]:
    """The jobs since the node started, the latest first."""
    return [job.view for job in reversed(node.resends.jobs)]


@operation("resend-stop", permission="operate")
async def resend_stop(node: Node, who: str, job: int | None = None, service: str | None = None) -> list[ResendView]:
    """End one job, those of a service, or all. What was sent is handled all the same. Answers those that ran."""
    services = None if service is None else {host_of(node.engine, service).address}
    running = [one for one in node.resends.running(services) if job in (None, one.view.job)]
    for one in running:
        one.stop(f"stopped by {who or 'somebody'}")
    return [await one.ended() for one in running]


@operation("body", permission="operate")
async def body(node: Node, which: str) -> MessageView:
    """A message with its whole body, to edit it. Sensitive fields are masked; a mask that is left is put back."""

    def look(archive: Any) -> MessageView:
        record = named(archive, which)
        view = message_view(record, node.is_held, bodies=True)
        if view.body is msgspec.UNSET:
            view.body = plain(record.message.payload)
        return view

    return await node.read(look)


@operation("discard", permission="operate")
async def discard(
    node: Node,
    who: str,
    messages: list[str] | None = None,
    group: str | None = None,
    filter: Filter | None = None,
    note: str = "",
) -> Discarded:
    """Decide that nothing follows of parked messages: named ones, a group, or what a filter finds."""
    found, _ = await _chosen(node, Selection(messages=messages or [], group=group, filter=filter))
    result = Discarded(0)
    for begin in range(0, len(found), _PAGE):
        page = [one.seq for one in found[begin : begin + _PAGE]]
        verdicts = await node.resends.decisions.discard(page, who, note)
        kept = [refusal(seq, error) for seq, error in verdicts.items() if error is not None]
        result.discarded += len(page) - len(kept)
        result.kept += kept[: SHOWN - len(result.kept)]
    if result.discarded:
        log.info("%s discarded %s parked messages", who or "somebody", result.discarded)
    return result


@operation("note", permission="operate")
async def note(node: Node, who: str, which: str, text: str) -> NoteView:
    """Say something about a message; shown with it. At most :data:`NOTE` characters."""
    if not text.strip() or len(text) > NOTE:
        what = f"the note has {len(text)} characters" if text.strip() else "the note is empty"
        raise WrongArgument(what, where="note.text", fix=f"Give 1 to {NOTE:,}.")
    record = await node.read(lambda archive: named(archive, which))
    return note_view(await node.resends.decisions.note(record.message.seq, who, text))


async def _chosen(node: Node, selection: Selection) -> tuple[list[Chosen], list[Kin]]:
    hosted = list(node.engine.hosts)
    types = [kind.name for flow in node.engine.flows.values() for kind in flow.types]
    return await node.read(lambda archive: chosen(archive, selection, hosted, types))


def _how(
    node: Node,
    found: list[Chosen],
    who: str,
    to: str | None,
    again: bool,
    body: msgspec.Raw,
    changes: dict[str, Any] | None,
    text: bool,
) -> Resending:
    address = host_of(node.engine, to).address if to is not None else None
    return Resending(who=who, to=address, again=again, edit=_edit(node, found, body, changes, text), typed=text)


def _edit(
    node: Node, found: list[Chosen], body: msgspec.Raw, changes: dict[str, Any] | None, text: bool
) -> Edit | None:
    if bytes(body):
        given = msgspec.json.decode(body)
        paths = node.sensitive.known.get(found[0].type, ()) if found else ()
        return lambda original: _unmasked(given, original, paths)
    return (lambda original: with_changes(original, changes, text)) if changes else None


def _unmasked(given: Any, original: Any, paths: tuple[Path, ...]) -> Any:
    """The edited body with the original values where the masks are as they were shown: a text, 0, false, or empty. A
    mask that was moved to another place is refused: it would go out as a value."""
    try:
        given = restored(given, original, paths)
    except ValueError as error:
        raise EditRefused(str(error), fix="Keep its elements, or write their whole values.") from error
    return put_back(given, original, MASKED) if paths else given


async def _check_first(node: Node, found: list[Chosen], how: Resending, all_of_them: bool) -> None:
    """Refuse before anything is sent: named messages each, of others what another service does not handle."""
    decisions = node.resends.decisions
    one_of_each = {one.type: one.seq for one in reversed(found)}.values() if how.to else ()
    seqs = [one.seq for one in found] if all_of_them else list(one_of_each)
    for record in _stored(await decisions.records(seqs)):
        try:
            prepared(node.engine, record, how)
        except NoHandler:
            raise
        except JunctorError:
            if all_of_them:
                raise


def _check_pace(rate: float, stop_at: float) -> None:
    if not 0 <= rate < RATE:
        fix = f"Give messages a second: below {RATE:,.0f}, and 0 for as fast as they are handled."
        raise UnknownFilter(f"{rate:,g} is no rate", where="rate", fix=fix)
    if not 0 <= stop_at <= 1:
        raise UnknownFilter(f"{stop_at:g} is no share", where="stop_at", fix="Give 0 to 1.")


def _nothing(node: Node, who: str) -> ResendView:
    return ResendView(0, who, [], "done", instant(node.engine.clock.time_ns()), 0)


def _refuse(preview: Preview, seq: int, error: JunctorError) -> None:
    preview.refused += 1
    if preview.refused <= SHOWN:
        preview.refusals.append(refusal(seq, error))


def _stored(records: list[Any]) -> list[Any]:
    """The records that are still stored."""
    return [record for record in records if record is not None]
