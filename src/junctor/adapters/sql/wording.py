"""A statement as it is written in the settings."""

from __future__ import annotations

import msgspec

from junctor.core.expressions import Expression


class Statement(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One of several statements of ``sql-out``.

    ``parameters``: its named parameters as expressions; those that are not named are fields of the body. ``each``: a
    list, for each element of which it is run, with the element as body. ``rows``: how many rows it must change or find.
    """

    statement: str
    parameters: dict[str, Expression] = {}
    each: Expression | None = None
    rows: int | None = None
