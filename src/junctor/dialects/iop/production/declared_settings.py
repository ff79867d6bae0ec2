"""What the class of an item says about its settings and about whom it sends to."""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from collections.abc import Iterator
from typing import NamedTuple

from junctor.dialects.iop.hosting.known import KNOWN
from junctor.dialects.iop.settings import TargetSetting, generated_settings, read
from junctor.dialects.iop.settings.reading import TEXT
from junctor.errors import ConfigurationError, nearest

_SENDS = {
    "send_request_sync": "sync",
    "send_request_async": "request",
    "send_request_async_ng": "request",
    "send_generator_request": "request",
}


class Sending(NamedTuple):
    """One send in the code of a class: to ``self.attribute``, or to the item whose name is written there."""

    attribute: str
    target: str
    interaction: str


def target_names(cls: type | None) -> list[str]:
    """The names of the target settings that a class declares."""
    found: dict[str, bool] = {}
    for base in reversed(cls.__mro__ if cls is not None else ()):
        found |= {name: isinstance(value, TargetSetting) for name, value in vars(base).items()}
    return [name for name, is_target in found.items() if is_target]


def required_settings(cls: type) -> list[str]:
    """The names of the settings of a class that have to be given."""
    return [one.name for one in generated_settings(cls).values() if one.required and not one.default]


def problem_with(cls: type, name: str, text: str, item: str) -> str:
    """What is wrong with a setting of an item, empty where nothing is."""
    declared = generated_settings(cls)
    if name == TEXT:  # its lines may be whatever the code reads
        return ""
    if name not in declared and name not in KNOWN:
        return f"{cls.__name__} has no such setting. {nearest(name, [*declared, *KNOWN])}".rstrip()
    if not text:
        return ""
    try:
        if name in declared:
            read(declared[name], text, item)
        else:
            known, kind = KNOWN[name]
            known.read(text, kind, f"{item}.{name}")
    except ConfigurationError as error:
        return f"{error.what}. {error.fix}"
    return ""


def interactions(cls: type | None) -> dict[str, str]:
    """For each attribute that the code of a class sends to, "sync" where it waits for the reply, else "request"."""
    found: dict[str, str] = {}
    for one in sendings(cls) if cls is not None else ():
        if one.attribute and found.get(one.attribute) != "sync":
            found[one.attribute] = one.interaction
    return found


@functools.lru_cache(maxsize=512)
def sendings(cls: type) -> tuple[Sending, ...]:
    """The sends in the code of a class; none where its source is not to be had."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(cls)))
    except (OSError, TypeError, SyntaxError):
        return ()
    return tuple(found for node in ast.walk(tree) if isinstance(node, ast.Call) for found in _sending(node))


def _sending(call: ast.Call) -> Iterator[Sending]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    if name not in _SENDS:
        return
    given = call.args[0] if call.args else next((word.value for word in call.keywords if word.arg == "target"), None)
    if isinstance(given, ast.Attribute) and isinstance(given.value, ast.Name) and given.value.id == "self":
        yield Sending(given.attr, "", _SENDS[name])
    elif isinstance(given, ast.Constant) and isinstance(given.value, str):
        yield Sending("", given.value, _SENDS[name])
