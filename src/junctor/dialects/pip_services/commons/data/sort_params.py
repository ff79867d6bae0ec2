"""The order in which a result is asked for."""

from __future__ import annotations


class SortField:
    def __init__(self, name: str | None = None, ascending: bool = True) -> None:
        self.name = name
        self.ascending = ascending


class SortParams(list[SortField]):
    """Fields, the one that counts most first."""

    def __init__(self, *fields: SortField) -> None:
        super().__init__(fields)
