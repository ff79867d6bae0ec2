"""Items with ids in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, TypeVar

from junctor.dialects.pip_services.commons.data import IdGenerator
from junctor.dialects.pip_services.commons.errors import ConflictException
from junctor.dialects.pip_services.data.persistence.items import id_of, kept, put
from junctor.dialects.pip_services.data.persistence.memory import MemoryPersistence

T = TypeVar("T")


class IdentifiableMemoryPersistence(MemoryPersistence[T]):
    """Items with a field ``id``, a text as a rule. An item without one gets one of 32 hexadecimal digits."""

    def load(self, correlation_id: str | None) -> None:
        """Read all items anew. A file that others wrote may have two of one id: the first of them is meant then."""
        super().load(correlation_id)
        with self._lock:
            ids = [id_of(item) for item in self._items]
            several = [id for id, count in Counter(map(repr, filter(None, ids))).items() if count > 1]
        if several:
            words = "There are several items of an id, of which the first is taken: %s"
            self._logger.warn(correlation_id, words, ", ".join(several[:5]))  # noqa: G010 - theirs

    def get_list_by_ids(self, correlation_id: str | None, ids: Iterable[Any]) -> list[T]:
        """The items of these ids, in the order in which they were made; an id that is not there is left out."""
        return self.get_list_by_filter(correlation_id, _one_of(ids))

    def get_one_by_id(self, correlation_id: str | None, id: Any) -> T | None:
        """The item, or None."""
        with self._lock:
            index = self._index_of(id)
            found: T | None = None if index is None else kept(self._items[index])
        words = "Cannot find item by %s" if found is None else "Retrieved item %s"
        self._logger.trace(correlation_id, words, id)
        return found

    def create(self, correlation_id: str | None, item: T | None) -> T | None:
        """Add an item; answers a copy of what is stored, with its id.

        :raises ConflictException: there is an item of this id.
        """
        if item is None:
            return None
        made = _with_id(kept(item))
        with self._lock:
            if id_of(item) is not None and self._index_of(id_of(made)) is not None:
                raise _taken(correlation_id, id_of(made))
            self._change(correlation_id, [*self._items, made])
        return self._told(correlation_id, "Created item %s", made)

    def set(self, correlation_id: str | None, item: T | None) -> T | None:
        """Put an item in the place of the one of its id, or add it; answers a copy of what is stored."""
        if item is None:
            return None
        made = _with_id(kept(item))
        with self._lock:
            self._put(correlation_id, self._index_of(id_of(made)), made)
        return self._told(correlation_id, "Set item %s", made)

    def update(self, correlation_id: str | None, item: T | None) -> T | None:
        """Put an item in the place of the one of its id; None: there is none."""
        if item is None:
            return None
        made: T = kept(item)
        with self._lock:
            index = self._index_of(id_of(made))
            if index is None:
                self._logger.trace(correlation_id, "Item %s was not found", id_of(made))
                return None
            self._put(correlation_id, index, made)
        return self._told(correlation_id, "Updated item %s", made)

    def update_partially(self, correlation_id: str | None, id: Any, data: Mapping[str, Any] | None) -> T | None:
        """Change some fields of an item; None: there is none, or nothing is to be changed.

        :raises ConflictException: the id is changed, too, and there is an item of the new one.
        """
        if data is None:
            return None
        with self._lock:
            index = self._index_of(id)
            if index is None:
                self._logger.trace(correlation_id, "Item %s was not found", id)
                return None
            made: T = kept(self._items[index])
            for name, value in data.items():
                put(made, name, kept(value))
            if self._index_of(id_of(made)) not in (None, index):
                raise _taken(correlation_id, id_of(made))
            self._put(correlation_id, index, made)
        return self._told(correlation_id, "Partially updated item %s", made)

    def delete_by_id(self, correlation_id: str | None, id: Any) -> T | None:
        """Take an item away; answers it, or None: there is none."""
        with self._lock:
            index = self._index_of(id)
            if index is None:
                self._logger.trace(correlation_id, "Item %s was not found", id)
                return None
            gone = self._items[index]
            self._change(correlation_id, self._items[:index] + self._items[index + 1 :])
        self._logger.trace(correlation_id, "Deleted item by %s", id)
        return gone

    def delete_by_ids(self, correlation_id: str | None, ids: Iterable[Any]) -> None:
        """Take the items of these ids away."""
        self.delete_by_filter(correlation_id, _one_of(ids))

    def _index_of(self, id: Any) -> int | None:
        if id is None:
            return None
        return next((index for index, item in enumerate(self._items) if id_of(item) == id), None)

    def _put(self, correlation_id: str | None, index: int | None, item: T) -> None:
        items = list(self._items)
        if index is None:
            items.append(item)
        else:
            items[index] = item
        self._change(correlation_id, items)

    def _told(self, correlation_id: str | None, words: str, item: T) -> T:
        self._logger.trace(correlation_id, words, id_of(item))
        answer: T = kept(item)
        return answer


def _one_of(ids: Iterable[Any]) -> Callable[[Any], bool]:
    """Whether an item has one of these ids."""
    wanted = list(ids)
    try:
        known = frozenset(wanted)
    except TypeError:  # ids that cannot be looked up
        return lambda item: id_of(item) in wanted
    return lambda item: isinstance(id_of(item), Hashable) and id_of(item) in known


def _with_id(item: T) -> T:
    if id_of(item) is None:
        put(item, "id", IdGenerator.next_long())
    return item


def _taken(correlation_id: str | None, id: Any) -> ConflictException:
    error = ConflictException(correlation_id, "ID_EXISTS", f"There is an item with the id {id}")
    error.with_details("id", id)
    return error
