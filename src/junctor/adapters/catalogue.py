"""What each installed adapter does, takes and answers: for the command line, for pages, for who chooses one."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterator
from typing import Any

import msgspec

from junctor.adapters.base import missing_modules
from junctor.core.spec import ServiceSpec
from junctor.errors import ConfigurationError
from junctor.flows.adapters import adapter, adapter_names, distribution_of, owner
from junctor.flows.fitting import shown
from junctor.services import Service, spec_of
from junctor.services.declared import declared_settings
from junctor.settings import MISSING, Bounds, Setting, kind_name
from junctor.settings.conversion import is_duration, without_none, words_of
from junctor.settings.values import UNSET

_SENTENCE = re.compile(r".*?\.(?=\s|$)|.*")


class SettingEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A setting: ``takes`` is its type as a user would say it, with its bounds. ``default`` is plain data, or text."""

    name: str
    takes: str
    required: bool = False
    default: Any = None
    unit: str = ""
    secret: bool = False
    doc: str = ""


class TargetEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where it sends to; ``replies`` is the type that it waits for, empty where it does not wait."""

    name: str
    sends: str
    replies: str = ""
    optional: bool = False


class HandlerEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What it can be sent, or asked over HTTP: ``takes`` is a type, or method and path; ``replies`` a type."""

    name: str
    takes: str
    replies: str = ""
    doc: str = ""


class AdapterEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One adapter. ``side`` is ``in``, ``out`` or ``inside``; ``doc`` its first sentence, ``about`` the rest.

    ``extra`` is what is to be installed with it, ``install`` the arguments for pip where that is missing. ``problem``
    says why it cannot be used at all: nothing else is known then.
    """

    name: str
    distribution: str
    side: str = ""
    doc: str = ""
    about: str = ""
    code: str = ""
    extra: str = ""
    install: str = ""
    settings: tuple[SettingEntry, ...] = ()
    targets: tuple[TargetEntry, ...] = ()
    handlers: tuple[HandlerEntry, ...] = ()
    example: str = ""
    problem: str = ""


def catalogue() -> list[AdapterEntry]:
    """All that are installed, by name."""
    return [_entry(name) for name in adapter_names()]


def entry_of(name: str) -> AdapterEntry:
    """The adapter of this name.

    :raises ConfigurationError: there is none, or it cannot be used.
    """
    cls = adapter(name)
    spec = spec_of(cls, settings=dict.fromkeys(declared_settings(cls), UNSET))
    doc, about, example = _told(cls, name)
    extra = str(getattr(cls, "extra", ""))
    return AdapterEntry(
        name=name,
        distribution=owner(name),
        side=getattr(cls, "side", "inside"),
        doc=doc,
        about=about,
        code=spec.code,
        extra=extra,
        install=_install(cls, extra),
        settings=tuple(settings_of(cls)),
        targets=tuple(_targets(spec)),
        handlers=tuple(_handlers(spec)),
        example=example or _made_up(name, cls, spec),
    )


def _entry(name: str) -> AdapterEntry:
    try:
        return entry_of(name)
    except ConfigurationError as error:
        return AdapterEntry(name=name, distribution=owner(name), problem=error.what)


def _install(cls: type[Service], extra: str) -> str:
    missing = missing_modules(tuple(getattr(cls, "needs", ())))
    if not missing:
        return ""
    return f"{distribution_of(cls)}[{extra}]" if extra else " ".join(missing)


# What the class says ----------------------------------------------------------------------------------------


def settings_of(cls: type[Service]) -> Iterator[SettingEntry]:
    """The settings of a class; those that must be given come first."""
    declared = declared_settings(cls).items()
    for name, (setting, kind) in sorted(declared, key=lambda one: one[1][0].default is not MISSING):
        known = setting.default is not MISSING and not setting.hidden(kind)
        yield SettingEntry(
            name=name,
            takes=_takes(setting, kind),
            required=setting.default is MISSING,
            default=msgspec.to_builtins(setting.default, enc_hook=str) if known else None,
            unit=setting.unit,
            secret=setting.hidden(kind),
            doc=setting.doc,
        )


def _takes(setting: Setting, kind: Any) -> str:
    words = setting.bounds.choices or words_of(kind)
    if words and without_none(kind)[1] is not bool:
        optional = " or nothing" if without_none(kind)[0] else ""
        return ", ".join(map(str, words)) + optional
    return " ".join(part for part in (kind_name(kind), _within(setting.bounds, kind)) if part)


def _within(bounds: Bounds, kind: Any) -> str:
    """The bounds of a value, in words."""
    unit = " s" if is_duration(without_none(kind)[1]) else ""
    words = {"from": bounds.ge, "above": bounds.gt, "to": bounds.le, "below": bounds.lt}
    parts = [f"{word} {bound:g}{unit}" for word, bound in words.items() if bound is not None]
    lengths = {"at least": bounds.min_length, "at most": bounds.max_length}
    parts += [f"{word} {length} long" for word, length in lengths.items() if length is not None]
    return " ".join([*parts, *([f"like {bounds.pattern}"] if bounds.pattern is not None else [])])


def _targets(spec: ServiceSpec) -> Iterator[TargetEntry]:
    for target in spec.targets:
        replies = "" if target.reply is None else shown(target.reply)
        yield TargetEntry(name=target.name, sends=shown(target.request), replies=replies, optional=target.optional)


def _handlers(spec: ServiceSpec) -> Iterator[HandlerEntry]:
    for handler in spec.handlers:
        replies = "" if handler.replies is None else shown(handler.replies)
        yield HandlerEntry(name=handler.name, takes=shown(handler.accepts), replies=replies, doc=_first(handler.doc))
    for route in spec.routes:
        yield HandlerEntry(name=route.name, takes=f"{route.method} {route.path}", doc=_first(route.doc))
    for action in spec.actions:
        yield HandlerEntry(name=action.name, takes="action", doc=_first(action.doc))


def _first(doc: str) -> str:
    return doc.strip().partition("\n")[0]


# Examples ---------------------------------------------------------------------------------------------------


def _told(cls: type[Service], name: str) -> tuple[str, str, str]:
    """First sentence, rest and example of a docstring. The example is the indented part that says ``adapter: NAME``."""
    text = inspect.cleandoc(cls.__doc__ or "").replace("``", "`")
    example = next((block for block in _blocks(text) if re.search(rf"adapter: ['\"]?{re.escape(name)}\b", block)), "")
    rest = text.replace(example, "", 1).replace("::\n", ":\n") if example else text
    first, _, about = rest.partition("\n\n")
    paragraph = " ".join(first.split())
    doc = _SENTENCE.findall(paragraph)[0]
    more = textwrap.fill(paragraph.removeprefix(doc).strip(), 110)
    about = re.sub(r"\n{3,}", "\n\n", f"{more}\n\n{about}").strip()
    return doc, about.removesuffix(":").strip(), inspect.cleandoc("\n" + example)


def _blocks(text: str) -> list[str]:
    """The parts of a text whose lines are all indented, blank lines inside included."""
    return [found[0].rstrip() for found in re.finditer(r"(?m)(?:^ +\S.*(?:\n|\Z)(?:[ \t]*\n)*)+", text)]


def _made_up(name: str, cls: type[Service], spec: ServiceSpec) -> str:
    """What an adapter needs at least, for one that shows no example of its own."""
    lines = [f"my-{name}:", f"  adapter: {name}"]
    needed = {key: kind for key, (setting, kind) in declared_settings(cls).items() if setting.default is MISSING}
    if needed:
        lines.append(f"  settings: {{{', '.join(f'{key}: {_sample(kind)}' for key, kind in needed.items())}}}")
    if spec.targets:
        lines.append(f"  connect: {{{', '.join(f'{target.name}: SERVICE' for target in spec.targets)}}}")
    return "\n".join(lines)


def _sample(kind: Any) -> str:
    kind = without_none(kind)[1]
    if words := words_of(kind):
        return str(words[0])
    return "1s" if is_duration(kind) else "1" if kind in (int, float) else '"..."'
