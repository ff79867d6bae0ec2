"""The arguments of a query on items in memory, as functions."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from junctor.dialects.pip_services.commons.convert import StringConverter
from junctor.dialects.pip_services.commons.data import SortField
from junctor.dialects.pip_services.data.persistence.items import Item, get


def condition(filter: Any) -> Callable[[Any], Any]:
    """What tells whether an item fits.

    :param filter: a function of one item, a mapping of fields to the texts they must have, or None for all.
    """
    if filter is None:
        return lambda item: True
    if isinstance(filter, Mapping):
        wanted = {name: StringConverter.to_string(value) for name, value in filter.items() if value is not None}
        return lambda item: all(StringConverter.to_string(get(item, name)) == text for name, text in wanted.items())
    made: Callable[[Any], Any] = filter
    return made


def ordered(items: list[Any], sort: Any) -> list[Any]:
    """The items in an order.

    :param sort: SortParams or SortFields, a function of one item that answers its key, one of two items that answers
        below, at or above zero, or None for the order in which they were made.
    """
    if sort is None:
        return items
    if callable(sort):
        return sorted(items, key=functools.cmp_to_key(sort) if _takes_two(sort) else sort)
    return _by_fields(items, [sort] if isinstance(sort, SortField) else sort)


def _by_fields(items: list[Any], fields: Iterable[SortField]) -> list[Any]:
    """Sorting is stable: so the field that counts least comes first."""
    found = items
    for field in reversed(list(fields)):
        if field.name:
            key = functools.partial(_key, field.name)
            found = sorted(found, key=key, reverse=not field.ascending)
    return found


def _key(name: str, item: Any) -> tuple[int, Any]:
    """Items without a value come before those that have one; then numbers, moments, texts and the rest: the items may
    have all of them, and a client may sort by any field."""
    value = get(item, name)
    if value is None or isinstance(value, float | Decimal) and value != value:  # NaN is equal to nothing
        return (0, 0)
    if isinstance(value, int | float | Decimal):
        return (1, value)
    if isinstance(value, date):
        return (2, _seconds(value))
    return (3, value) if isinstance(value, str) else (4, StringConverter.to_string(value))


def _seconds(value: date) -> float:
    """Since 1970. The first and the last days of the calendar have none in some zones."""
    moment = value if isinstance(value, datetime) else datetime.combine(value, time())
    try:
        return moment.timestamp()
    except (OverflowError, ValueError):
        return math.copysign(math.inf, value.year - 1970)


def _takes_two(function: Callable[..., Any]) -> bool:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return False
    return sum(each.default is each.empty and each.kind is each.POSITIONAL_OR_KEYWORD for each in parameters) == 2


def selected(item: Any, select: Any) -> Any:
    """What is answered of an item.

    :param select: ProjectionParams or names of fields, a function of the item, or None for all of it.
    """
    if select is None or not callable(select) and not select:
        return item
    if callable(select):
        return select(item)
    return Item({name: get(item, name) for name in select})
