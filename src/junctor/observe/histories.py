"""Runs and their histories without sensitive values: bodies by the paths of their types, and all else that quotes the
values of the message that began the run, or of what came later."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from junctor.core.history import Command, Entry, read_entry, write_entry
from junctor.core.run import Run, Turn
from junctor.core.snapshot import masked_snapshot
from junctor.messages.sensitive import MASK, Path, masked
from junctor.observe.hidden import forms_of, plain, without

Known = Mapping[str, tuple[Path, ...]]


def masked_run(run: Run, hidden: Iterable[Any]) -> Run:
    """A run whose key, error and snapshot quote none of these values."""
    if run.snapshot is not None:
        run = msgspec.structs.replace(run, snapshot=masked_snapshot(run.snapshot))
    values = list(hidden)
    written = forms_of(values)
    if not values:
        return run
    key = run.key
    if key is not None:  # it may be such a field, and a short one
        key = MASK if key in map(str, values) else without(key, written)
    snapshot = run.snapshot if run.snapshot is None else _cleaned(run.snapshot, written)
    return msgspec.structs.replace(run, key=key, error=without(run.error, written), snapshot=snapshot)


def masked_turns(turns: list[Turn], known: Known, hidden: Iterable[Any]) -> list[Turn]:
    """The turns of one run.

    :param known: the sensitive paths of each type by its name.
    :param hidden: the sensitive values of the message that began it.
    """
    entries = [_entry(turn) for turn in turns]
    written = forms_of([*hidden, *(value for entry in entries if entry for value in _hidden_in(entry, known))])
    return [
        msgspec.structs.replace(turn, data=_masked(turn.data, entry, known, written))
        if written or (entry and _has_calls(entry, known))
        else turn
        for turn, entry in zip(turns, entries, strict=True)
    ]


def hidden_in(turns: Iterable[Turn], known: Known) -> list[Any]:
    """The sensitive values that came to a run in these turns."""
    return [value for turn in turns if (entry := _entry(turn)) for value in _hidden_in(entry, known)]


def hides(turns: Iterable[Turn]) -> bool:
    """Whether a block of a turn had a sensitive result: that of a type which no message needs to have."""
    return any(b'"hidden":' in turn.data for turn in turns)


def _entry(turn: Turn) -> Entry | None:
    try:
        return read_entry(turn.data)
    except (ValueError, msgspec.MsgspecError):
        return None


def _hidden_in(entry: Entry, known: Known) -> Iterator[Any]:
    if paths := known.get(entry.input.type):
        yield from masked(plain(bytes(entry.input.body)), paths).hidden
    for one in entry.did:
        if one.hidden:
            yield from masked(plain(bytes(one.value)), one.hidden).hidden


def _masked(data: bytes, entry: Entry | None, known: Known, written: set[str]) -> bytes:
    if entry is None:
        return _cleaned(data, written)
    body = plain(bytes(entry.input.body))
    if paths := known.get(entry.input.type):
        body = masked(body, paths).value
    came = msgspec.structs.replace(entry.input, body=_raw(_clean(body, written)))
    did = tuple(_masked_call(one, known, written) for one in entry.did)
    return write_entry(msgspec.structs.replace(entry, input=came, did=did))


def _has_calls(entry: Entry, known: Known) -> bool:
    return any(one.hidden or one.type in known for one in entry.did)


def _masked_call(one: Command, known: Known, written: set[str]) -> Command:
    """Without its digest where the body may have a sensitive value: a short one is found by trying all."""
    value = plain(bytes(one.value))
    if one.hidden:
        value = masked(value, one.hidden).value
    digest = "" if written or one.type in known else one.digest
    text = without(one.text, written)
    return msgspec.structs.replace(one, digest=digest, value=_raw(_clean(value, written)), text=text)


def _raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


def _cleaned(data: bytes, written: set[str]) -> bytes:
    """JSON without these forms; what is none is not shown at all."""
    value = plain(data)
    return msgspec.json.encode(MASK if value is None and data != b"null" else _clean(value, written))


def _clean(value: Any, written: set[str]) -> Any:
    if isinstance(value, dict):
        return {without(str(name), written): _clean(part, written) for name, part in value.items()}
    if isinstance(value, list):
        return [_clean(part, written) for part in value]
    if isinstance(value, str):
        return without(value, written)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return MASK if str(value) in written else value
    return value
