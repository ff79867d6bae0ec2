"""What a persistence can offer. Nobody has to inherit these: components are told by their methods."""

from __future__ import annotations

from abc import ABC
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from junctor.dialects.pip_services.commons.data import AnyValueMap, DataPage, FilterParams, PagingParams, SortParams

T = TypeVar("T")


class IGetter(ABC, Generic[T]):
    def get_one_by_id(self, correlation_id: str | None, id: Any) -> T | None:
        """The item, or None: there is none of this id."""
        raise NotImplementedError(f"{type(self).__name__}.get_one_by_id is not written")


class ISetter(ABC, Generic[T]):
    def set(self, correlation_id: str | None, item: T) -> T | None:
        """Puts an item in the place of the one of its id, or adds it; answers what is stored."""
        raise NotImplementedError(f"{type(self).__name__}.set is not written")


class IWriter(ABC, Generic[T]):
    def create(self, correlation_id: str | None, item: T) -> T | None:
        """Adds an item; answers what is stored, with its id."""
        raise NotImplementedError(f"{type(self).__name__}.create is not written")

    def update(self, correlation_id: str | None, item: T) -> T | None:
        """Puts an item in the place of the one of its id; None: there is none."""
        raise NotImplementedError(f"{type(self).__name__}.update is not written")

    def delete_by_id(self, correlation_id: str | None, id: Any) -> T | None:
        """Takes an item away; answers it, or None: there is none."""
        raise NotImplementedError(f"{type(self).__name__}.delete_by_id is not written")


class IPartialUpdater(ABC, Generic[T]):
    def update_partially(self, correlation_id: str | None, id: Any, data: AnyValueMap) -> T | None:
        """Changes some fields of an item; None: there is none of this id."""
        raise NotImplementedError(f"{type(self).__name__}.update_partially is not written")


class ILoader(ABC, Generic[T]):
    def load(self, correlation_id: str | None) -> list[T]:
        """All items from where they are kept."""
        raise NotImplementedError(f"{type(self).__name__}.load is not written")


class ISaver(ABC, Generic[T]):
    def save(self, correlation_id: str | None, items: Iterable[T]) -> None:
        """Writes all items to where they are kept."""
        raise NotImplementedError(f"{type(self).__name__}.save is not written")


class IFilteredReader(ABC, Generic[T]):
    def get_list_by_filter(self, correlation_id: str | None, filter: FilterParams, sort: SortParams) -> list[T]:
        """All items that fit a filter."""
        raise NotImplementedError(f"{type(self).__name__}.get_list_by_filter is not written")


class IFilteredPageReader(ABC, Generic[T]):
    def get_page_by_filter(
        self, correlation_id: str | None, filter: FilterParams, paging: PagingParams, sort: SortParams
    ) -> DataPage[T]:
        """A page of the items that fit a filter."""
        raise NotImplementedError(f"{type(self).__name__}.get_page_by_filter is not written")


class IQuerableReader(ABC, Generic[T]):
    def get_list_by_query(self, correlation_id: str | None, query: str, sort: SortParams) -> list[T]:
        """All items that a query of the store finds."""
        raise NotImplementedError(f"{type(self).__name__}.get_list_by_query is not written")


class IQuerablePageReader(ABC, Generic[T]):
    def get_page_by_query(
        self, correlation_id: str | None, query: str, paging: PagingParams, sort: SortParams
    ) -> DataPage[T]:
        """A page of the items that a query of the store finds."""
        raise NotImplementedError(f"{type(self).__name__}.get_page_by_query is not written")
