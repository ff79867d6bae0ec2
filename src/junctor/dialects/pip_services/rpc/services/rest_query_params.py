"""The parameters of a query as clients send them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from junctor.dialects.pip_services.commons.convert import StringConverter
from junctor.dialects.pip_services.commons.data import FilterParams, PagingParams

PAGING = ("skip", "take", "total")


class RestQueryParams(dict[str, Any]):
    """A query with a correlation id, a filter and a page."""

    def __init__(
        self,
        correlation_id: str | None = None,
        filter: Mapping[str, Any] | None = None,
        paging: PagingParams | None = None,
    ) -> None:
        super().__init__()
        self.add_correlation_id(correlation_id)
        self.add_filter_params(filter)
        self.add_paging_params(paging)

    def add_correlation_id(self, correlation_id: str | None = None) -> None:
        if correlation_id:
            self["correlation_id"] = correlation_id

    def add_filter_params(self, filter: Mapping[str, Any] | None) -> None:
        for name, value in (filter or {}).items():
            self[name] = _text(value)

    def add_paging_params(self, paging: PagingParams | None) -> None:
        """``skip`` and ``take`` where they are set, ``total`` where the number of all is asked for."""
        for name in PAGING if paging is not None else ():
            value = getattr(paging, name)
            if value is not None and value is not False:
                self[name] = _text(value)


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"  # as all systems of the family read it
    return StringConverter.to_nullable_string(value)


def filter_of(params: Mapping[str, str]) -> FilterParams:
    """The filter in a query: all that is neither paging nor the correlation id."""
    rest = {name: value for name, value in params.items() if name not in (*PAGING, "correlation_id")}
    return FilterParams.from_value(rest)


def paging_of(params: Mapping[str, str]) -> PagingParams:
    """The page in a query."""
    return PagingParams(*(params.get(name) for name in PAGING))
