"""The store of a node, and what is looked for in it."""

from __future__ import annotations

from junctor.errors.root import JunctorError


class StoreError(JunctorError):
    """The store cannot be opened or written."""

    code = "store"
    default_fix = "Check the folder, its owner and the disk."


class StoreLocked(StoreError):
    """Another node has this store open."""

    code = "store-locked"
    default_fix = "Stop the other node, or give this one its own folder with --store."


class RecordRefused(StoreError):
    """One record cannot be stored by its nature: half a surrogate pair in a name, a time beyond all times."""

    code = "record-refused"
    default_fix = "Correct the named value; nothing of this commit was stored."
    status = 422


class StoreTooNew(StoreError):
    """The store was written by a newer Junctor."""

    code = "store-too-new"
    default_fix = "Use the newer Junctor; an older one never changes such a store."


class StoreDamaged(StoreError):
    """A record or the database fails its checksum. The damaged record is never delivered."""

    code = "store-damaged"
    default_fix = "Keep a copy of the store; the named record is quarantined and the rest runs on."


class StoreVanished(StoreError):
    """The folder of the store was moved or removed under the running node. Nothing more is accepted; the node ends."""

    code = "store-vanished"
    default_fix = "Bring the folder back where it was, then start the node again."


class SearchTooLong(StoreError):
    """A search through many records was stopped. The text says how far it came."""

    code = "search-too-long"
    default_fix = "Narrow it by time, type, service or session."
    status = 503


class SensitiveField(JunctorError):
    """A search asks for a field whose values are masked: by its hits it would tell them."""

    code = "sensitive-field"
    default_fix = "Search by time, service, session or another field."
    status = 422
