"""Which method of a component takes a message: by ``@handler``, by the table ``DISPATCH``, by the annotation."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import msgspec

from junctor.dialects.iop.components.host import BusinessHost
from junctor.dialects.iop.components.service import BusinessService
from junctor.dialects.iop.messages import class_named, is_message_class, key_of, messages_of, named
from junctor.services.hints import class_locals, resolve

F = TypeVar("F", bound=Callable[..., Any])

ON_MESSAGE = "on_message"
"""The method that takes what no other method does."""

_MARK = "__iop_handles__"
_EMPTY = inspect.Parameter.empty
_HOOKS = frozenset({ON_MESSAGE, "on_request", "on_process_input", "on_task", "on_poll", "reply"})
"""Methods of one parameter that are called by somebody else, or take everything."""


class Entry(msgspec.Struct, frozen=True):
    """One method and the messages it takes. ``key`` is their name, ``module.Class``; ``accepts`` is their class, None
    where only the name is known here."""

    method: str
    key: str
    accepts: type | None = None

    def takes(self, cls: type) -> bool:
        """Whether objects of this class are for the method: of this class itself, not of a derived one."""
        if self.accepts is not None:
            return cls is self.accepts
        return _unscoped(cls) == self.key


def _unscoped(cls: type) -> str:
    """The name of a message. Of two projects with one of the same name the second has its folder in front."""
    return key_of(cls).rpartition(":")[2]


class Dispatch(msgspec.Struct, frozen=True):
    """What the methods of a class take. A message of exactly the class of an entry goes to its method, all else to
    ``fallback``; ``accepts`` is the class in the annotation of that, None for none. ``warnings`` are sentences."""

    entries: tuple[Entry, ...] = ()
    fallback: str = ON_MESSAGE
    accepts: type | None = None
    warnings: tuple[str, ...] = ()

    def method_for(self, body: Any) -> str:
        """The name of the method that takes a message."""
        return next((entry.method for entry in self.entries if entry.takes(type(body))), self.fallback)


def handler(*messages: type | str) -> Callable[[F], F]:
    """Let a method take the messages of these classes: ``@handler(Order)``, ``@handler("msg.Order")``,
    ``@handler("iris.Ens.AlertRequest")``. It goes before ``DISPATCH`` and annotations.

    :raises TypeError: one is neither a class of messages nor a name.
    """
    for one in messages:
        if not (isinstance(one, str) or is_message_class(one)):
            raise TypeError(f"@handler takes message classes or their names, not {one!r}")
    if not messages:
        raise TypeError("@handler needs a message class: @handler(Order)")

    def mark(function: F) -> F:
        setattr(function, _MARK, (*getattr(function, _MARK, ()), *messages))
        return function

    return mark


def dispatch_of(cls: Any) -> Dispatch:
    """The dispatch table of a component class. Of two methods of the same rank the later one takes the messages, and
    the lines of ``DISPATCH`` come before the methods."""
    return _dispatch(cls)


@functools.lru_cache(maxsize=1024)
def _dispatch(cls: Any) -> Dispatch:
    table = _Table(cls)
    for one, name in getattr(cls, "DISPATCH", None) or ():
        table.listed(one, name)
    for name, function in _methods(cls):
        table.typed(name, function)
    for name, function in _methods(cls):
        table.marked(name, function)
    return table.made()


def accepted_by(cls: Any, method: str) -> type | None:
    """The message class in the annotation of the first parameter of a method; None where there is none, or it cannot be
    resolved."""
    function = inspect.getattr_static(cls, method, None)
    kind = _annotated(cls, function) if inspect.isfunction(function) and _parameters(function) else None
    return named(kind) if is_message_class(kind) else None


def _without_iris(name: str) -> str:
    """The name of a message of InterSystems IRIS as it travels here: ``iris.Ens.AlertRequest`` is
    ``Ens.AlertRequest``."""
    return name.removeprefix("iris.") if name.startswith("iris.Ens.") else name


def _methods(cls: type) -> Iterator[tuple[str, Any]]:
    """The public methods that the user wrote, in the order of their text, those of bases first."""
    names = [name for base in reversed(cls.__mro__) if not _is_ours(base) for name in vars(base)]
    for name in dict.fromkeys(names):
        function = inspect.getattr_static(cls, name, None)
        if inspect.isfunction(function) and not name.startswith("_"):
            yield name, function


def _is_ours(cls: type) -> bool:
    return cls is object or cls.__module__.startswith("junctor.")


def _parameters(function: Any) -> Sequence[inspect.Parameter]:
    """The parameters behind ``self``."""
    return list(inspect.signature(function).parameters.values())[1:]


def _annotated(cls: type, function: Any) -> Any:
    """The type of the first parameter; None where it has none, NotImplemented where it cannot be resolved."""
    annotation = _parameters(function)[0].annotation
    if annotation is _EMPTY or not isinstance(annotation, str):
        return None if annotation is _EMPTY else annotation
    try:
        names = {name: value for base in reversed(cls.__mro__) for name, value in class_locals(base).items()}
        return resolve(annotation, inspect.unwrap(function).__globals__, names)
    except Exception:  # noqa: BLE001 - an annotation is an expression of the user's
        return NotImplemented


def _class_for(cls: type, name: str) -> type | None:
    """The message class that a component means by ``msg.Order``: another project in the process may have a module
    ``msg`` as well."""
    modules = [module for base in cls.__mro__ if not _is_ours(base) and (module := sys.modules.get(base.__module__))]
    own = (kind for module in modules for kind in messages_of(module) if _unscoped(kind) == name)
    return next(own, None) or class_named(name, beside=modules)


class _Table:
    """The table while it is made."""

    def __init__(self, cls: Any) -> None:
        self._cls = cls
        self._is_service = issubclass(cls, BusinessService)
        self._where = f"{cls.__module__}.{cls.__qualname__}"
        self._entries: dict[str, tuple[int, Entry]] = {}
        self._warnings: list[str] = []
        self._untyped: list[str] = []

    def typed(self, name: str, function: Any) -> None:
        """A method by its annotation."""
        parameters = _parameters(function)
        if len(parameters) != 1 or hasattr(function, _MARK) or (self._is_service and name not in _HOOKS):
            return
        kind = _annotated(self._cls, function)
        written = parameters[0].annotation
        if isinstance(written, str) and _without_iris(written) != written:
            if name not in _HOOKS:
                self._add(0, self._entry(written, name))
        elif kind is NotImplemented:
            # A class of another library may be among the bases; its annotations mean nothing here.
            if issubclass(_owner(self._cls, name), BusinessHost):
                self._unresolved(name, parameters[0])
        elif name not in _HOOKS and is_message_class(kind):
            self._add(0, Entry(name, key_of(named(kind)), kind))

    def _unresolved(self, name: str, parameter: inspect.Parameter) -> None:
        what = f"{self._where}.{name}: there is no {parameter.annotation} where it is written"
        takes = "it takes any message" if name in _HOOKS or not self._has_fallback else "it takes no message"
        self._warnings.append(f"{what}: {takes}. Define or import the class in the module of the component")
        if name not in _HOOKS:
            self._untyped.append(name)

    def listed(self, one: Any, name: str) -> None:
        """A line of ``DISPATCH``."""
        if not callable(getattr(self._cls, name, None)):
            self._warnings.append(f"{self._where}.DISPATCH: there is no method {name}")
            return
        self._add(0, self._entry(one, name))

    def marked(self, name: str, function: Any) -> None:
        """A method by ``@handler``."""
        for one in getattr(function, _MARK, ()):
            self._add(1, self._entry(one, name))

    def _entry(self, one: Any, name: str) -> Entry:
        if isinstance(one, str):
            one = _without_iris(one)
            kind = _class_for(self._cls, one)
            return Entry(name, one) if kind is None else Entry(name, key_of(named(kind)), kind)
        return Entry(name, key_of(named(one)), one)

    def _add(self, rank: int, entry: Entry) -> None:
        before, known = self._entries.get(entry.key, (rank, entry))
        if rank == before and known.method != entry.method:
            self._warnings.append(
                f"{self._where}: {known.method} and {entry.method} both take {entry.key}; {entry.method}, which comes "
                "later, gets it"
            )
        self._entries[entry.key] = rank, entry

    @property
    def _has_fallback(self) -> bool:
        """Whether the user wrote the method that takes everything."""
        return not _is_ours(_owner(self._cls, ON_MESSAGE))

    def made(self) -> Dispatch:
        """The table."""
        fallback = ON_MESSAGE if self._has_fallback or not self._untyped else self._untyped[-1]
        return Dispatch(
            tuple(entry for _, entry in self._entries.values()),
            fallback,
            accepted_by(self._cls, fallback),
            tuple(self._warnings),
        )


def _owner(cls: type, name: str) -> type:
    return next((base for base in cls.__mro__ if name in vars(base)), object)
