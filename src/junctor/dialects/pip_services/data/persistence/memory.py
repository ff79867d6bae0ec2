"""Items in memory."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from junctor.dialects.pip_services.commons.config import ConfigParams, IConfigurable
from junctor.dialects.pip_services.commons.data import DataPage, PagingParams
from junctor.dialects.pip_services.commons.errors import ConfigException
from junctor.dialects.pip_services.commons.refer import IReferenceable, IReferences
from junctor.dialects.pip_services.commons.run import ICleanable, IOpenable
from junctor.dialects.pip_services.components.log import CompositeLogger
from junctor.dialects.pip_services.data.persistence.items import kept
from junctor.dialects.pip_services.data.persistence.queries import condition, ordered, selected

if TYPE_CHECKING:
    from junctor.dialects.pip_services.data.interfaces import ILoader, ISaver

T = TypeVar("T")


class MemoryPersistence(IConfigurable, IReferenceable, IOpenable, ICleanable, Generic[T]):
    """Items in memory, with a loader they come from and a saver they go to after each change.

    What is put in and what is answered are copies: nobody changes stored items but by these methods. Filters see the
    stored items themselves, so a query copies only what it answers. Calls from several threads take turns.

    Configuration: ``options.max_page_size``, 100 by default and at least 1.

    :param loader: asked for all items when the persistence opens.
    :param saver: given all items after each change and at the end.
    """

    _max_page_size = 100

    def __init__(self, loader: ILoader[T] | None = None, saver: ISaver[T] | None = None) -> None:
        self._logger = CompositeLogger()
        self._items: list[T] = []
        self._loader = loader
        self._saver = saver
        self._opened = False
        self._lock = threading.RLock()

    def configure(self, config: ConfigParams) -> None:
        """
        :raises ConfigException: no item would fit on a page.
        """
        size = config.get_as_integer_with_default("options.max_page_size", self._max_page_size)
        if size < 1:
            message = f"options.max_page_size is {size}; it is 1 or more"
            raise ConfigException(None, "BAD_PAGE_SIZE", message).with_details("max_page_size", size)
        self._max_page_size = size

    def set_references(self, references: IReferences) -> None:
        self._logger.set_references(references)

    def is_open(self) -> bool:
        return self._opened

    def open(self, correlation_id: str | None) -> None:
        self.load(correlation_id)
        self._opened = True

    def close(self, correlation_id: str | None) -> None:
        """What was not opened is not saved: it would write no items over those that there are."""
        if self._opened:
            self.save(correlation_id)
        self._opened = False

    def load(self, correlation_id: str | None) -> None:
        """Read all items anew; those in memory are forgotten."""
        if self._loader is None:
            return
        with self._lock:
            self._items = [kept(item) for item in self._loader.load(correlation_id)]
            self._logger.trace(correlation_id, "Loaded %d items", len(self._items))

    def save(self, correlation_id: str | None) -> None:
        """Write all items."""
        if self._saver is None:
            return
        with self._lock:
            self._saver.save(correlation_id, self._items)
            self._logger.trace(correlation_id, "Saved %d items", len(self._items))

    def clear(self, correlation_id: str | None) -> None:
        """Take all items away."""
        self._change(correlation_id, [])
        self._logger.trace(correlation_id, "Cleared items")

    def get_page_by_filter(
        self, correlation_id: str | None, filter: Any, paging: PagingParams | None, sort: Any = None, select: Any = None
    ) -> DataPage[Any]:
        """A page of the items that fit.

        :param filter: a function of an item, a mapping of fields to their texts, or None.
        :param paging: which part, also as a mapping; None: from the first, as many as a page may have. ``total`` is
            counted if asked for.
        :param sort: SortParams, or a function of one item (its key) or of two (their order).
        :param select: names of fields, or a function of an item.
        """
        paging = PagingParams() if paging is None else PagingParams.from_value(paging)
        found = self._found(filter, sort)
        start = paging.get_skip(0)
        part = found[start : start + paging.get_take(self._max_page_size)]
        self._logger.trace(correlation_id, "Retrieved %d items", len(part))
        return DataPage(self._answer(part, select), len(found) if paging.has_total() else None)

    def get_count_by_filter(self, correlation_id: str | None, filter: Any) -> int:
        """How many items fit."""
        return len(self._found(filter))

    def get_list_by_filter(
        self, correlation_id: str | None, filter: Any, sort: Any = None, select: Any = None
    ) -> list[Any]:
        """All items that fit, however many; for the arguments see :meth:`get_page_by_filter`."""
        found = self._found(filter, sort)
        self._logger.trace(correlation_id, "Retrieved %d items", len(found))
        return self._answer(found, select)

    def get_one_random(self, correlation_id: str | None, filter: Any) -> T | None:
        """One of the items that fit, or None."""
        found = self._found(filter)
        return kept(random.choice(found)) if found else None

    def create(self, correlation_id: str | None, item: T | None) -> T | None:
        """Add an item; answers a copy of what is stored."""
        if item is None:
            return None
        with self._lock:
            self._change(correlation_id, [*self._items, made := kept(item)])
        self._logger.trace(correlation_id, "Created item")
        answer: T = kept(made)
        return answer

    def delete_by_filter(self, correlation_id: str | None, filter: Any) -> None:
        """Take away the items that fit."""
        fits = condition(filter)
        with self._lock:
            rest = [item for item in self._items if not fits(item)]
            count = len(self._items) - len(rest)
            if count:
                self._change(correlation_id, rest)
        self._logger.trace(correlation_id, "Deleted %d items", count)

    def _found(self, filter: Any, sort: Any = None) -> list[T]:
        fits: Callable[[T], Any] = condition(filter)
        with self._lock:
            return ordered([item for item in self._items if fits(item)], sort)

    def _answer(self, items: list[T], select: Any) -> list[Any]:
        with self._lock:
            return [kept(selected(item, select)) for item in items]

    def _change(self, correlation_id: str | None, items: list[T]) -> None:
        """New items in place of the old; what cannot be saved has not happened."""
        with self._lock:
            before, self._items = self._items, items
            try:
                self.save(correlation_id)
            except BaseException:
                self._items = before
                raise
