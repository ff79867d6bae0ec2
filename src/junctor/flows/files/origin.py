"""What a service of a flow file is made of: a class by its place, or an adapter by its name."""

from __future__ import annotations

import types
from pathlib import Path
from typing import Any

from junctor.core.spec import ServiceSpec
from junctor.errors import ConfigurationError, ImportFailed, has_line, nearest
from junctor.flows.adapters import adapter, adapter_names
from junctor.flows.code.imports import attribute_of, import_place
from junctor.flows.dialects import dialect_of
from junctor.flows.files.reading import described
from junctor.services import Service, has_marks
from junctor.settings import Leaf, Table

MADE_OF = ("class", "adapter")
"""The keys that say what a service is made of. It has one of them."""

_EXPECTED = {"class": "module:Class", "adapter": "the name of an adapter"}
_EXAMPLES = {"class": "class: alarm:Alarm", "adapter": "adapter: file-in"}


def source_of(table: Table, name: str, place: str, folder: Path) -> Any:
    """The class, object or module that a service is made of.

    :param table: what the file says of the service.
    :param place: where its name stands.
    :param folder: where its class is looked for first.
    :raises ConfigurationError: nothing is named, two things are, or it cannot be used.
    """
    word = _word(table, f"{name} ({place or table.place})", name)
    node = table.entries[word]
    where = f"{name}.{word} ({node.place})"
    if not isinstance(node, Leaf) or not isinstance(node.value, str) or not node.value.strip():
        what = f"expected {_EXPECTED[word]}, got {described(node)}"
        raise ConfigurationError(what, where=where, fix=f"Write for example {_EXAMPLES[word]}.")
    text = node.value.strip()
    return _adapter(text, where) if word == "adapter" else _class(text, where, folder)


def _word(table: Table, where: str, name: str) -> str:
    found = [word for word in MADE_OF if word in table.entries]
    if not found:
        fix = "Write class: module:Class, for example class: alarm:Alarm, or adapter: with the name of one."
        raise ConfigurationError('"class" is missing', where=where, fix=fix)
    if len(found) > 1:
        place, other = (table.entries[word].place for word in reversed(found))
        what = f"there is a class, too, at {other}"
        raise ConfigurationError(what, where=f"{name}.adapter ({place})", fix="Keep one of them.")
    return found[0]


def _adapter(text: str, where: str) -> type[Service]:
    try:
        return adapter(text)
    except ConfigurationError as error:
        fix = f"Write class: {text}." if ":" in text else error.fix
        raise type(error)(error.what, where=where, fix=fix) from error.__cause__


def _class(text: str, where: str, folder: Path) -> Any:
    try:
        return _imported(text, folder)
    except ConfigurationError as error:
        if isinstance(error, ImportFailed) and text in adapter_names():
            raise ImportFailed(error.what, where=where, fix=f"This is an adapter: write adapter: {text}.") from None
        raise _placed(error, where, text, folder) from error.__cause__


def _imported(text: str, folder: Path) -> Any:
    place, _, attribute = text.partition(":")
    module = import_place(place, folder)
    found: Any = attribute_of(module, attribute, place) if attribute else module
    if isinstance(found, types.ModuleType):
        if has_marks(found):
            return found
        if (composed := _of_dialect(found, place)) is not None:
            return composed
        names = [name for name, value in vars(module).items() if _is_service(value) and value.__module__ == place]
        fix = f"Name the class: {place}:{names[0]}." if names else "Mark a function with @handler, @every or a route."
        raise ConfigurationError("the module has no marked function", where=place, fix=fix)
    if _is_service(found) or isinstance(found, Service | ServiceSpec):
        return found
    raise ConfigurationError(
        f"{attribute} is not a service", where=text, fix="Name a class derived from Service, or an object of one."
    )


def _of_dialect(module: types.ModuleType, place: str) -> Any:
    """The class that the dialect of a file runs for the file alone: of the only service in it, or of that with the name
    of the file; None where it is no file of a dialect.

    :raises ConfigurationError: there are several.
    """
    found = {
        name: value
        for name, value in vars(module).items()
        if _is_service(value) and dialect_of(value) is not None and value.__module__ == module.__name__
    }
    stem = Path(place).stem
    if not place.endswith(".py") or not found:
        return None
    if stem in found or len(found) == 1:
        return found.get(stem) or next(iter(found.values()))
    fix = f"Name one: {place}:{next(iter(found))}."
    raise ConfigurationError(f"there are several services in it: {', '.join(found)}", where=place, fix=fix)


def _is_service(value: Any) -> bool:
    return isinstance(value, type) and (
        (issubclass(value, Service) and value is not Service) or dialect_of(value) is not None
    )


def _placed(error: ConfigurationError, where: str, text: str, folder: Path) -> ConfigurationError:
    """The error with the place in the flow file; what the user's code raised keeps the user's line."""
    if error.__cause__ is not None and "traceback" in error.fix:
        return error
    if not isinstance(error, ImportFailed) and has_line(error):
        return error
    module, _, attribute = text.partition(":")
    what, fix = error.what, error.fix
    if isinstance(error, ImportFailed) and what.startswith("there is no module") and error.where == module:
        last = module.rpartition(".")
        close = nearest(module, [file.stem for file in folder.glob("*.py")])
        if not attribute and last[2][:1].isupper():
            fix = f"Write {last[0]}:{last[2]}."
        elif close.startswith("Did"):
            fix = close.strip()
        else:
            fix = "Modules are looked for in the folder of the flow file, then where Python finds them."
    elif error.where not in (module, text, None):
        what = f"{error.where}: {what}"
    placed = type(error)(what, where=where, fix=fix)
    placed.__cause__ = error.__cause__
    return placed
