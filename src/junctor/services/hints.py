"""Annotations as types, wherever they were written: in a module, in a function, postponed or in quotes."""

from __future__ import annotations

import inspect
import sys
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any

from junctor.errors import ConfigurationError
from junctor.services.markers import place_of

_LOCALS = "__junctor_locals__"


class _Holder:
    """What ``typing.get_type_hints`` needs to resolve one annotation at a time: one bad name spoils no other."""

    def __init__(self, annotation: Any) -> None:
        self.__annotations__ = {"it": annotation}


def resolve(annotation: Any, names: Mapping[str, Any], local: Mapping[str, Any]) -> Any:
    """The type that an annotation stands for.

    :raises NameError: a name in it is not defined there.
    """
    return typing.get_type_hints(_Holder(annotation), dict(names), dict(local), include_extras=True)["it"]


def remember_locals(cls: type, depth: int = 2) -> None:
    """Keep the types around a class that is made inside a function, where its annotations may point to.

    :param depth: how many frames above this one the class statement is.
    """
    outer = cls.__qualname__.rpartition(".<locals>")[0].rpartition(".")[2]
    if not outer:
        return
    frame: types.FrameType | None = sys._getframe(depth)
    while frame is not None and frame.f_code.co_name != outer:
        frame = frame.f_back
    found = frame.f_locals if frame is not None else {}
    # Types only: the class must not keep the other values of a finished function alive.
    setattr(cls, _LOCALS, {name: value for name, value in found.items() if _is_type(value)})


def _is_type(value: Any) -> bool:
    return isinstance(value, (type, types.ModuleType)) or typing.get_origin(value) is not None


def class_locals(cls: type) -> dict[str, Any]:
    """The names around a class and in it, nearest last."""
    around: dict[str, Any] = vars(cls).get(_LOCALS, {})
    return {**around, cls.__name__: cls}


def class_annotations(cls: type) -> dict[str, tuple[Any, type]]:
    """The annotations of a class and its bases, as written, each with the class that wrote it."""
    found: dict[str, tuple[Any, type]] = {}
    for base in reversed(cls.__mro__):
        for name, annotation in own_annotations(base).items():
            if not name.startswith("__"):
                found[name] = (annotation, base)
    return found


def own_annotations(owner: Any) -> dict[str, Any]:
    """The annotations of a class or module, without those of its bases."""
    if sys.version_info >= (3, 14):
        import annotationlib

        return annotationlib.get_annotations(owner, format=annotationlib.Format.FORWARDREF)
    return inspect.get_annotations(owner)


def resolve_in_class(annotation: Any, owner: type) -> Any:
    """The type of a class attribute's annotation.

    :raises NameError: a name in it is not defined there.
    """
    module = sys.modules.get(owner.__module__)
    return resolve(annotation, vars(module) if module else {}, class_locals(owner))


def signature_of(function: Callable[..., Any], owner: type | None) -> inspect.Signature:
    """The signature with resolved annotations, without ``self``.

    :param owner: the class of a method, None for a module-level function.
    :raises ConfigurationError: an annotation cannot be resolved; the place is the function.
    """
    inner = inspect.unwrap(function)
    written = inspect.signature(function)
    parameters = list(written.parameters.values())[1 if owner else 0 :]
    local = class_locals(owner) if owner else {}

    def read(annotation: Any) -> Any:
        if annotation is inspect.Parameter.empty:
            return annotation
        try:
            return resolve(annotation, inner.__globals__, local)
        except (NameError, SyntaxError, TypeError, AttributeError) as error:
            raise ConfigurationError(
                f"the annotation {annotation!r} cannot be read: {error}",
                where=place_of(function),
                fix="Define the type in the module, or import it outside `if TYPE_CHECKING:`.",
            ) from error

    resolved = [parameter.replace(annotation=read(parameter.annotation)) for parameter in parameters]
    return written.replace(parameters=resolved, return_annotation=read(written.return_annotation))
