"""The settings of a class that a production can give: declared ones, and its plain public attributes."""

from __future__ import annotations

import functools
import inspect
import types
import typing
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import msgspec

from junctor.dialects.iop.settings.category import Category
from junctor.dialects.iop.settings.declaration import Setting
from junctor.errors import ConfigurationError, text_of
from junctor.services.hints import own_annotations, resolve_in_class
from junctor.settings import MISSING

EXCLUDED = frozenset(
    "INFO_URL ICON_URL PERSISTENT_PROPERTY_LIST log_to_console logger iris_handle DISPATCH adapter Adapter buffer "
    "BusinessHost business_host business_host_python timed_out".split()
)
"""Public attributes of components that are no settings."""

IRIS_TYPES: Mapping[type, str] = {int: "Integer", float: "Numeric", bool: "Boolean", str: "String"}
_KINDS = {name: kind for kind, name in IRIS_TYPES.items()}


class GeneratedSetting(msgspec.Struct, frozen=True):
    """One setting of a class. ``kind`` is what its values are in Python: str, int, float or bool."""

    name: str
    kind: type
    iris_type: str
    default: Any
    required: bool = False
    category: str = Category.ADDITIONAL.value
    description: str = ""
    control: str = ""

    def as_list(self) -> list[Any]:
        """Name, type in IRIS, default, required, category, description, control: as tools of IRIS read it."""
        default = self.default if isinstance(self.default, str | int | float) else ""
        return [
            self.name,
            self.iris_type,
            default,
            int(self.required),
            self.category,
            self.description,
            self.control,
        ]


def generated_settings(cls: Any) -> dict[str, GeneratedSetting]:
    """The settings of a class by name, those of its bases first."""
    return dict(_settings(cls))


@functools.lru_cache(maxsize=1024)
def _settings(cls: Any) -> Mapping[str, GeneratedSetting]:
    found: dict[str, GeneratedSetting] = {}
    for base in reversed(cls.__mro__):
        if base is object or base.__module__.startswith("junctor."):
            continue
        for name in dict.fromkeys([*own_annotations(base), *vars(base)]):
            made = _generated(cls, base, name)
            if made is not None:
                found[name] = made
            elif not _is_free(cls, name):
                found.pop(name, None)  # a derived class made a method of it
    return found


def _is_free(cls: type, name: str) -> bool:
    value = inspect.getattr_static(cls, name, None)
    return not isinstance(value, property | functools.cached_property | staticmethod | classmethod) and not callable(
        value
    )


def _generated(cls: type, base: type, name: str) -> GeneratedSetting | None:
    if name.startswith("_") or name in EXCLUDED or not _is_free(cls, name):
        return None
    annotation = _annotation(base, name)
    if annotation is ClassVar:
        return None
    value = inspect.getattr_static(cls, name, None)
    declared = value if isinstance(value, Setting) else _declared_in(annotation)
    if declared is None:
        declared = Setting(value)
    elif declared is not value and value is not None:
        declared = _with_default(declared, value)
    return _described(cls, name, declared, annotation)


def _annotation(base: type, name: str) -> Any:
    """The type of an attribute, ClassVar itself for one of the class alone; None where nothing says it."""
    written = own_annotations(base).get(name)
    if typing.get_origin(written) is ClassVar or "ClassVar" in str(written):
        return ClassVar
    try:
        return resolve_in_class(written, base) if written is not None else None
    except Exception:  # noqa: BLE001 - an annotation is an expression of the user's
        return None


def _declared_in(annotation: Any) -> Setting | None:
    """The one of ``Annotated[str, Setting(...)]``."""
    notes = typing.get_args(annotation)[1:] if typing.get_origin(annotation) is Annotated else ()
    return next((note for note in notes if isinstance(note, Setting)), None)


def _with_default(declared: Setting, default: Any) -> Setting:
    made = Setting.__new__(type(declared))
    vars(made).update(vars(declared), default=default)
    return made


def _described(cls: type, name: str, declared: Setting, annotation: Any) -> GeneratedSetting | None:
    told = _told(cls, name)
    if declared.exclude or _is_true(told.get("ExcludeFromSettings")):
        return None
    default = None if declared.default is MISSING else declared.default
    iris_type = str(told.get("DataType") or declared.iris_type or "")
    kind = _kind(iris_type, declared.data_type, annotation, default)
    return GeneratedSetting(
        name,
        kind,
        iris_type or (declared.data_type if isinstance(declared.data_type, str) else IRIS_TYPES[kind]),
        "" if default is None else default,
        _is_true(told.get("IsRequired")) or declared.required,
        str(told.get("Category") or declared.category or Category.ADDITIONAL),
        str(told.get("Description") or declared.description),
        str(told.get("Control") or told.get("EditorContext") or declared.control),
    )


def _told(cls: type, name: str) -> Mapping[str, Any]:
    """What the older form says: a method ``NAME_info`` that returns a dictionary.

    :raises ConfigurationError: it fails.
    """
    function = inspect.getattr_static(cls, f"{name}_info", None)
    inner = getattr(function, "__func__", function)
    if not isinstance(inner, types.FunctionType):
        return {}
    try:
        told = inner(cls) if inspect.signature(inner).parameters else inner()
    except Exception as error:
        what = f"{name}_info() fails: {type(error).__name__}: {text_of(error)}"
        fix = "It is called on the class, before there is an instance: correct it."
        raise ConfigurationError(what, where=f"{cls.__module__}.{cls.__qualname__}", fix=fix) from error
    return told if isinstance(told, Mapping) else {}


def _is_true(value: Any) -> bool:
    return str(value).strip().lower() in ("1", "true")


def _kind(iris_type: str, data_type: Any, annotation: Any, default: Any) -> type:
    """What values of a setting are; text where nothing says more."""
    named = _KINDS.get((iris_type or str(data_type)).removeprefix("%").removeprefix("Library."))
    if named is not None:
        return named
    for kind in (data_type, _plain(annotation), type(default)):
        if isinstance(kind, type) and kind in IRIS_TYPES:
            return kind
    return str


def _plain(annotation: Any) -> Any:
    """The type without ``Annotated`` and without None."""
    while typing.get_origin(annotation) is Annotated:
        annotation = typing.get_args(annotation)[0]
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        rest = [part for part in typing.get_args(annotation) if part is not type(None)]
        return _plain(rest[0]) if len(rest) == 1 else None
    return annotation
