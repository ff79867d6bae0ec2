"""Runs and their histories without sensitive values: bodies by the paths of their types, and all else that quotes the
values of the message that began the run, or of what came later."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from junctor.core.history import Entry, Input, read_entry, write_entry
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
    values = [*hidden, *(value for entry in entries if entry for value in _hidden_in(entry.input, known))]
    written = forms_of(values)
    return [
        msgspec.structs.replace(turn, data=_masked(turn.data, entry, known, written)) if values else turn
        for turn, entry in zip(turns, entries, strict=True)
    ]


def _entry(turn: Turn) -> Entry | None:
    try:
        return read_entry(turn.data)
    except (ValueError, msgspec.MsgspecError):
        return None


def _hidden_in(came: Input, known: Known) -> Iterable[Any]:
    paths = known.get(came.type)
    return masked(plain(bytes(came.body)), paths).hidden if paths else ()


def _masked(data: bytes, entry: Entry | None, known: Known, written: set[str]) -> bytes:
    if entry is None:
        return _cleaned(data, written)
    body = plain(bytes(entry.input.body))
    if paths := known.get(entry.input.type):
        body = masked(body, paths).value
    came = msgspec.structs.replace(entry.input, body=_raw(_clean(body, written)))
    did = tuple(
        msgspec.structs.replace(
            one, value=_raw(_clean(plain(bytes(one.value)), written)), text=without(one.text, written)
        )
        for one in entry.did
    )
    return write_entry(msgspec.structs.replace(entry, input=came, did=did))


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
