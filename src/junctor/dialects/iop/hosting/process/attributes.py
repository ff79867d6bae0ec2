"""The attributes of the instances of a process: what is stored between two callbacks, and what is made anew."""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from msgspec import Raw

from junctor.dialects.iop.hosting.process.values import Values, Written
from junctor.services.conversation.attributes import NotRestorable, NotStorable

LARGEST_COPY = 64 * 1024
"""Bytes of JSON. What ``on_init`` made and is larger is shared by all conversations, and not copied for each."""

_NEVER = frozenset({"_door", "adapter", "Adapter", "_logger", "_timed_out", "iris_handle"})
_IMMUTABLE = (str, int, float, bool, bytes, type(None))

log = logging.getLogger("junctor.iop")


class Taken(NamedTuple):
    """The attributes of an instance: JSON by name, ``hidden`` with something sensitive inside, ``kept`` what has no
    such form."""

    stored: dict[str, Raw]
    hidden: dict[str, Raw]
    kept: dict[str, Any]

    def add(self, name: str, written: Written) -> None:
        """Take one in."""
        (self.hidden if written.sensitive else self.stored)[name] = Raw(written.data)


class Template:
    """What settings, adapter and ``on_init`` made of an instance. Each conversation begins with it: with copies of what
    can be copied, and with the thing itself of all else, as a client of a database."""

    def __init__(self, made: Mapping[str, Any], values: Values) -> None:
        self._shared = dict(made)
        self._own: dict[str, bytes] = {}
        for name, value in made.items():
            if name in _NEVER or isinstance(value, _IMMUTABLE):
                continue
            try:
                data = values.write(value).data
            except Values.NotCarried:
                continue
            if len(data) <= LARGEST_COPY:
                self._own[name] = data

    def attributes(self) -> dict[str, Any]:
        """Those of a new instance."""
        own = {name: copy.deepcopy(self._shared[name]) for name in self._own}
        return {**self._shared, **own} if own else self._shared

    def is_as_made(self, name: str, value: Any) -> bool:
        """Whether it is the very thing that every conversation has."""
        return name in self._shared and self._shared[name] is value

    def is_unchanged(self, name: str, data: bytes) -> bool:
        """Whether JSON of a copy is still that of the thing."""
        return self._own.get(name) == data


class Attributes:
    """The attributes of one process class.

    :param cls: the class, with its PERSISTENT_PROPERTY_LIST.
    """

    def __init__(self, cls: type, values: Values) -> None:
        self._cls = cls
        self._values = values
        self._persistent = frozenset(getattr(cls, "PERSISTENT_PROPERTY_LIST", None) or ())
        self._told: set[str] = set()

    def taken(self, instance: Any, template: Template) -> Taken:
        """What an instance has beyond the template.

        :raises NotStorable: what PERSISTENT_PROPERTY_LIST names cannot be stored.
        """
        taken = Taken({}, {}, {})
        for name, value in list(vars(instance).items()):
            if name in _NEVER or template.is_as_made(name, value):
                continue
            try:
                written = self._values.write(value)
            except Values.NotCarried as reason:
                self._keep(name, reason)
                taken.kept[name] = value
                continue
            if not template.is_unchanged(name, written.data):
                taken.add(name, written)
        return taken

    def written(self, name: str, value: Any) -> Written:
        """One value that has to be stored.

        :raises NotStorable: it cannot.
        """
        try:
            return self._values.write(value)
        except Values.NotCarried as reason:
            raise NotStorable(f"{reason} cannot be stored", where=f"{self._cls.__name__} {name}") from reason

    def _keep(self, name: str, reason: Exception) -> None:
        where = f"{self._cls.__name__}.{name}"
        if name in self._persistent:
            fix = "Keep what it can be made from: numbers, text, lists and dictionaries, messages, data classes."
            raise NotStorable(f"{reason} cannot be stored, and PERSISTENT_PROPERTY_LIST names it", where=where, fix=fix)
        if name not in self._told:
            self._told.add(name)
            text = "%s: %s cannot be stored; it is kept in memory and lost when the node ends. Make it in on_init"
            log.warning(text, where, reason)

    def restored(self, stored: Mapping[str, Raw], kept: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
        """The attributes of the next instance.

        :param names: those that were kept in memory; of a node that has ended since, none is there.
        :raises NotRestorable: a value is of a class that the project does not have any more.
        """
        found = {name: self.read(name, data) for name, data in stored.items()}
        for name in self._lost(names, kept):
            text = "%s.%s was kept in memory and is lost, because the node ended or the item was started again since"
            log.warning(text, self._cls.__name__, name)
        return {**found, **kept}

    @staticmethod
    def _lost(names: tuple[str, ...], kept: Mapping[str, Any]) -> Iterator[str]:
        return (name for name in names if name not in kept)

    def read(self, name: str, data: Raw) -> Any:
        """One value that was stored.

        :raises NotRestorable: the project has its class no more.
        """
        try:
            return self._values.read(data)
        except Values.NotKnown as error:
            raise NotRestorable(str(error), where=f"{self._cls.__name__}.{name}") from error
