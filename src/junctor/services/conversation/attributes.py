"""The attributes of a conversation: which a class declares, and how their values are stored and restored."""

from __future__ import annotations

import copy
import dataclasses
import functools
import inspect
import logging
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from junctor.errors import ConfigurationError, JunctorError
from junctor.messages import codec
from junctor.messages.sensitive import Path, sensitive_paths
from junctor.services.hints import class_annotations, resolve_in_class
from junctor.services.target import target_spec
from junctor.settings import Setting

log = logging.getLogger("junctor.conversation")

_IMMUTABLE = (str, int, float, bool, bytes, type(None))
_NOT_STORED = (typing.ClassVar, typing.Final)


class NotStorable(JunctorError):
    """An attribute of a conversation has a value that cannot be stored, or that would come back as another one. Nothing
    of the delivery is committed."""

    code = "not-storable"
    default_fix = "Keep plain values, dataclasses and lists of them; or do not declare what can be made anew."
    reaction = "park"


class NotRestorable(JunctorError):
    """What is stored of a conversation does not fit its class any more. Its messages are parked until it does."""

    code = "not-restorable"
    default_fix = "Give the attribute its old type, or another name; then send the parked messages again."
    reaction = "park"


class Attribute(msgspec.Struct, frozen=True):
    """One stored attribute. ``where`` is ``Class.name``. ``plain``: its type leaves open what is in it, so it comes
    back as what JSON has."""

    where: str
    kind: Any
    decode: Callable[[bytes], Any]
    encode: Callable[[Any], bytes]
    sensitive: tuple[Path, ...] = ()
    plain: bool = False

    def stored(self, value: Any) -> bytes:
        """The value as JSON, of which it is certain that it can be read again.

        :raises NotStorable: it cannot.
        """
        try:
            data = self.encode(value)
            back = self.decode(data)
        except Exception as error:
            raise NotStorable(f"{type(value).__name__} cannot be stored: {_reason(error)}", where=self.where) from error
        if self.plain and (key := _lost_key(value, back)) is not None:
            raise self._another_key(key)
        if self.kind is Any and back != value:
            what = f"{type(value).__name__} would come back as {type(back).__name__}"
            raise NotStorable(what, where=self.where, fix="Declare the attribute with the type of its value, not Any.")
        return data

    def _another_key(self, key: Any) -> NotStorable:
        name, attribute = type(key).__name__, self.where.rpartition(".")[2]
        what = f"a dict has the key {key!r}, of type {name}, which would come back as text: JSON has no other keys"
        fix = f"Declare the keys, as in `{attribute}: dict[{name}, ...]`, or use text."
        return NotStorable(what, where=self.where, fix=fix)

    def restored(self, data: bytes) -> Any:
        """The value that was stored.

        :raises NotRestorable: today's type does not take it; the text has the path.
        """
        try:
            return self.decode(data)
        except Exception as error:
            text, _, path = str(error).partition(" - at `$")
            where = f"{self.where}{path.rstrip('`')}"
            raise NotRestorable(f"what is stored does not fit today's class: {text}", where=where) from error


def _reason(error: Exception) -> str:
    """What msgspec says, without the words around it that are for messages."""
    if isinstance(error, JunctorError):
        return str(error.__cause__ or error.what)
    return str(error)


class Attributes:
    """The stored attributes of a class.

    :raises ConfigurationError: a type cannot be read, or nothing of it can be stored.
    """

    def __init__(self, cls: type) -> None:
        self._cls = cls
        self._known = dict(_declared(cls))
        self._told: set[str] = set()
        self._hides = tuple((name, *path) for name, one in self._known.items() for path in one.sensitive)

    def hides(self, stored: Iterable[Path]) -> tuple[Path, ...]:
        """The paths of sensitive values.

        :param stored: those that were stored; of what is not declared any more they go on counting.
        """
        return (*self._hides, *(path for path in stored if path[0] not in self._known))

    def restore(self, instance: Any, stored: Mapping[str, Any]) -> None:
        """Put stored values into an instance. What is not stored keeps its default; what is stored and not declared any
        more is told once, and kept.

        :raises NotRestorable: a value does not fit.
        """
        inside = vars(instance)
        for name, data in stored.items():
            known = self._known.get(name)
            if known is not None:
                inside[name] = known.restored(bytes(data))
            elif name not in self._told:
                self._told.add(name)
                text = "%s.%s is stored with open conversations and not declared any more; it is kept with them"
                log.warning(text, self._cls.__name__, name)

    def taken(self, instance: Any, before: Mapping[str, Any]) -> dict[str, msgspec.Raw]:
        """The values of an instance as they are to be stored.

        :param before: those that it was restored from.
        :raises NotStorable: one cannot be stored, or a value was set that nothing declares.
        """
        inside, cls = vars(instance), type(instance)
        taken = {name: data for name, data in before.items() if name not in self._known}
        for name, known in self._known.items():
            # Not of the instance: that would look for a target of this name, and read all annotations anew.
            value = inside[name] if name in inside else getattr(cls, name, _taken)
            if value is not _taken:
                taken[name] = self._one(known, value, before.get(name))
        return taken

    def _one(self, known: Attribute, value: Any, before: Any) -> msgspec.Raw:
        if before is not None:
            try:
                if known.encode(value) == bytes(before):
                    return msgspec.Raw(before)
            except Exception:  # noqa: BLE001 - told below, with its place
                pass
        return msgspec.Raw(known.stored(value))

    def refuse_undeclared(self, names: Iterator[str]) -> None:
        """:raises NotStorable: one of the names is no declared attribute, so its value would be lost."""
        for name in names:
            if name not in self._known and not name.startswith("_"):
                raise NotStorable(
                    "the value is lost after this callback, because the class does not declare the attribute",
                    where=f"{self._cls.__name__}.{name}",
                    fix=f"Write `{name}: TYPE` in the class; what need not be kept begins with an underscore.",
                )


def _taken() -> None:
    """Stands for no value."""


def own_defaults(cls: type) -> dict[str, Any]:
    """Copies of the defaults that an instance could change."""
    made = {name: _own(value) for name, value in _changeable(cls).items()}
    return {name: value for name, value in made.items() if value is not dataclasses.MISSING}


def _own(value: Any) -> Any:
    """A copy of a default; ``field(default_factory=list)`` is understood as dataclasses do."""
    if not isinstance(value, dataclasses.Field):
        return copy.deepcopy(value)
    factory = value.default_factory
    return copy.deepcopy(value.default) if factory is dataclasses.MISSING else factory()


@functools.lru_cache(maxsize=256)
def _changeable(cls: type) -> dict[str, Any]:
    written = {name: annotation for name, (annotation, _) in class_annotations(cls).items()}
    own = [name for name, annotation in written.items() if "ClassVar" not in str(annotation)]
    found = {name: inspect.getattr_static(cls, name, None) for name in own}
    return {name: value for name, value in found.items() if not isinstance(value, (Setting, *_IMMUTABLE))}


def _declared(cls: type) -> Iterator[tuple[str, Attribute]]:
    for name, (written, owner) in class_annotations(cls).items():
        if isinstance(inspect.getattr_static(cls, name, None), Setting):
            continue
        where = f"{cls.__name__}.{name}"
        try:
            kind = resolve_in_class(written, owner)
        except (NameError, SyntaxError, TypeError, AttributeError) as error:
            if "ClassVar" in str(written):
                continue
            fix = "Define the type in the module, or import it outside `if TYPE_CHECKING:`."
            raise ConfigurationError(
                f"the annotation {written!r} cannot be read: {error}", where=where, fix=fix
            ) from error
        if kind in _NOT_STORED or typing.get_origin(kind) in _NOT_STORED or target_spec(name, kind) is not None:
            continue
        yield name, _attribute(where, kind)


def _attribute(where: str, kind: Any) -> Attribute:
    try:
        encode, decode = codec.coders(kind)
    except ConfigurationError as error:
        raise ConfigurationError(
            f"values of {getattr(kind, '__qualname__', kind)} cannot be stored, and attributes of a conversation are",
            where=where,
            fix="Declare a dataclass or a plain type; what need not be kept is no annotated attribute, or a ClassVar.",
        ) from error
    return Attribute(where, kind, decode, encode, sensitive_paths(kind), _is_plain(kind))


def _is_plain(kind: Any) -> bool:
    return kind in (Any, object, dict, list) or any(map(_is_plain, typing.get_args(kind)))


def _lost_key(value: Any, back: Any) -> Any:
    """The first key of a dict in a value that is another one when it comes back; None where there is none."""
    if isinstance(value, dict) and isinstance(back, dict):
        for key, inner in value.items():
            found = _lost_key(inner, back[key]) if key in back else key
            if found is not None:
                return found
    elif isinstance(value, list | tuple) and isinstance(back, list | tuple):
        return next((found for pair in zip(value, back, strict=False) if (found := _lost_key(*pair)) is not None), None)
    return None
