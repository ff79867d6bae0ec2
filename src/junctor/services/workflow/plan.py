"""What a workflow class declares: how its runs begin, its signals and queries, and the types of all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any, TypeVar

import msgspec

from junctor.core.history import Input
from junctor.core.spec import Context, TargetSpec
from junctor.errors import EncodeError, NoHandler
from junctor.messages import MessageType
from junctor.messages.sensitive import Path


class Takes(msgspec.Struct, frozen=True):
    """A handler or signal for bodies of one type."""

    name: str
    type: MessageType

    def read(self, came: Input, where: str) -> Any:
        """The body that history has.

        :raises DecodeError: it does not fit the type.
        """
        return self.type.read(bytes(came.body), came.version, f"{where}.{self.name}")


class Begins(Takes, frozen=True):
    """A handler that begins runs; ``key`` names the field of the body that is their business key."""

    key: str = ""

    def key_of(self, body: Any) -> str | None:
        if not self.key:
            return None
        value = attrgetter(self.key)(body)
        return None if value is None else str(value)


K = TypeVar("K", bound=Takes)


class Plan(msgspec.Struct, frozen=True):
    """``build`` makes an object of the class for one run; ``replies`` are the types of its targets' replies by target;
    ``code`` identifies the source of the class."""

    build: Callable[[Context], Any]
    begins: tuple[Begins, ...]
    signals: tuple[Takes, ...]
    targets: tuple[TargetSpec, ...]
    replies: Mapping[str, MessageType]
    code: str
    hides: Mapping[str, Sequence[Path]] = {}

    def __post_init__(self) -> None:
        kinds = (*(each.type for each in (*self.begins, *self.signals)), *self.replies.values())
        named = ((name, kind) for kind in reversed(kinds) for name in (kind.name, *kind.aliases) if kind.sensitive)
        hides = {name: kind.sensitive for name, kind in named}
        msgspec.structs.force_setattr(self, "hides", hides)

    @property
    def keyed(self) -> bool:
        return any(each.key for each in self.begins)

    def sensitive(self, name: str) -> Sequence[Path]:
        """The sensitive paths of a type that comes to runs, by its name."""
        return self.hides.get(name, ())

    def begins_of(self, came: Input) -> Begins:
        return _of(self.begins, came)

    def begins_for(self, body: Any, where: str) -> Begins:
        """The handler that takes a body.

        :raises EncodeError: none does.
        """
        for each in self.begins:
            if each.type.fits(body):
                return each
        raise EncodeError(
            f"no handler takes {type(body).__name__}", where=where, fix="Give continue_as_new() what a @handler takes."
        )

    def signal_of(self, came: Input) -> Takes:
        return _of(self.signals, came)


def _of(known: tuple[K, ...], came: Input) -> K:
    """The entry that history names.

    :raises NoHandler: the class has it no more.
    """
    named = [each for each in known if each.name == came.name]
    for each in named:
        if came.type == each.type.name or came.type in each.type.aliases:
            return each
    if named:
        return named[0]
    raise NoHandler(f"there is no {came.name!r} any more, which the history of the run has")
