"""A statement as it is written in the settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from junctor.core.expressions import Expression
from junctor.errors import ConfigurationError, SettingError, nearest
from junctor.settings import convert


class Statement(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One of several statements of ``sql-out``.

    ``parameters``: its named parameters as expressions; those that are not named are fields of the body. ``each``: a
    list, for each element of which it is run, with the element as body. ``rows``: how many rows it must change or find.
    """

    statement: str
    parameters: dict[str, Expression] = {}
    each: Expression | None = None
    rows: int | None = None


def statement_of(written: Mapping[str, Any], number: int) -> Statement:
    """One of ``statements``.

    :param number: which of them, from 1.
    :raises SettingError: it is no statement.
    """
    known = Statement.__struct_fields__
    unknown = next((name for name in written if name not in known), None)
    if unknown is not None:
        fix = nearest(unknown, known).strip() or f"There is: {', '.join(known)}."
        raise SettingError(f'number {number} has no "{unknown}"', where="statements", fix=fix)
    try:
        return convert(written, Statement)  # type: ignore[no-any-return]
    except ConfigurationError as error:
        raise SettingError(f"number {number}: {error.what}", where="statements", fix=error.fix) from None
    except (ValueError, TypeError) as error:
        fix = 'For example {statement: "insert into orders values (:id)", rows: 1}.'
        raise SettingError(f"number {number}: {error}", where="statements", fix=fix) from None
