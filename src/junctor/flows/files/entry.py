"""One service of a flow file: what it is made of is found, the rest is handed to the flow as Python would."""

from __future__ import annotations

import contextlib
import re
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from junctor.core.policy import Policies
from junctor.core.spec import Loop
from junctor.errors import ConfigurationError, SeveralProblems, nearest
from junctor.flows.files.changes import settings_of, variable_name
from junctor.flows.files.interpolate import Interpolation
from junctor.flows.files.origin import MADE_OF, source_of
from junctor.flows.files.reading import UNREAD, Reader
from junctor.flows.files.written import as_written
from junctor.flows.model import FlowModel
from junctor.flows.policies import POLICY_WORDS, read_policies
from junctor.flows.schedules import read_schedules
from junctor.flows.wires import read_wires
from junctor.services import Service, checked_name
from junctor.services.hints import own_annotations
from junctor.settings import Leaf, Table
from junctor.settings.values import UNSET
from junctor.settings.written import Node, holds_secret, leaves, places_in

SERVICE_WORDS = frozenset({*MADE_OF, "settings", "connect", "schedules", "enabled", "isolate", "loop", *POLICY_WORDS})
"""The keys of a service in a flow file."""
_EXAMPLE = "{class: alarm:Alarm}"


class Entry(msgspec.Struct, frozen=True):
    """A service as it stands in a file: its name, its node, the place of the name, the folder of its classes."""

    name: str
    node: Node
    place: str
    folder: Path


class EntryReader:
    """Adds the services of a file to a flow. What is wrong goes to ``reader``, what is doubtful to ``notes``.

    :param enabled: names of services that are to be there though the file switches them off.
    """

    def __init__(self, flow: FlowModel, reader: Reader, filling: Interpolation, enabled: frozenset[str]) -> None:
        self.notes: list[str] = []
        self._flow = flow
        self._reader = reader
        self._filling = filling
        self._enabled = enabled

    def add(self, entry: Entry) -> None:
        """Add one service."""
        table = self._reader.table(entry.node, f"services.{entry.name}", _EXAMPLE)
        if table is None:
            return
        self._known(table, entry.name)
        self._try(lambda: self._take(entry, table))

    def _take(self, entry: Entry, table: Table) -> None:
        checked_name(entry.name, entry.place)
        if self._is_on(table, entry):
            self._add(entry, table)
        else:
            self._flow.leave_out(entry.name, as_written(table), entry.place)

    def _try(self, step: Callable[[], Any]) -> None:
        """Do it; what is wrong is kept."""
        try:
            step()
        except SeveralProblems as error:
            self._note(*error.problems)
        except ConfigurationError as error:
            self._note(error)

    def _note(self, *problems: ConfigurationError) -> None:
        """Keep problems, once: services of one broken module would all tell of it."""
        known = set(map(str, self._reader.problems))
        self._reader.problems += [problem for problem in problems if str(problem) not in known]

    def _known(self, table: Table, name: str) -> None:
        for key in table.entries:
            if key not in SERVICE_WORDS:
                close = nearest(key, SERVICE_WORDS)
                fix = close if close.startswith("Did") else "Settings of the class stand below settings:."
                self._reader.wrong(f"{name}.{key}", table.keys.get(key, table.place), "there is no such word", fix)

    def _is_on(self, table: Table, entry: Entry) -> bool:
        node = table.entries.get("enabled")
        if node is None or variable_name(entry.name) in self._enabled:
            return True
        value = self._reader.read(self._filling.filled(node), bool, f"{entry.name}.enabled")
        return value is not False

    def _add(self, entry: Entry, table: Table) -> None:
        before = len(self._filling.problems)
        filled = self._filling.filled(table)
        assert isinstance(filled, Table)
        unfilled = frozenset(problem.where for problem in self._filling.problems[before:])
        if unfilled:
            filled = self._without(entry, filled, unfilled)
        source = self._source(entry, filled) if filled.entries.keys() & MADE_OF or not unfilled else None
        parts = {word: self._part(filled, entry.name, word) for word in ("settings", "connect", "schedules")}
        isolate = self._word(filled, entry.name, "isolate", Literal["node", "worker"], "node")
        loop = self._word(filled, entry.name, "loop", Loop, "shared")
        settings: dict[str, Any] = {**parts["settings"].entries, **self._unset(parts["settings"], table)}
        schedules = parts["schedules"].entries
        connect: Any = parts["connect"].entries  # nodes are read like values
        places = {name: node.place for name, node in parts["settings"].entries.items()}
        for target, node in connect.items():
            places |= places_in(node, f"connect.{target}")
        if "retry" in filled.entries:
            places |= {path: at for path, at in places_in(filled.entries["retry"], "retry").items() if "." in path}
        policies: dict[str, Any] = {word: filled.entries[word] for word in POLICY_WORDS if word in filled.entries}
        if source is None:
            self._without_class(entry.name, policies, connect, schedules)
            return
        rest: dict[str, Any] = {"isolate": isolate, "loop": loop, "places": places, "place": entry.place}
        try:
            given: dict[str, Any] = {"settings": settings, "connect": connect, "schedules": schedules}
            self._flow.add(source, entry.name, **given, **rest, **policies)
        except ConfigurationError as error:
            self._note(*(error.problems if isinstance(error, SeveralProblems) else [error]))
            self._in_part(entry.name, source, settings, connect, rest)
        self._see_to_secrets(entry, source, parts["settings"])

    def _source(self, entry: Entry, table: Table) -> Any:
        try:
            return source_of(table, entry.name, entry.place, entry.folder)
        except ConfigurationError as error:
            self._note(error)
            return None

    def _without(self, entry: Entry, table: Table, unfilled: frozenset[str | None]) -> Table:
        """The service without what a reference is missing in: the rest is looked at all the same."""
        self._flow.unread[entry.name] = frozenset()
        entries = dict(table.entries)
        for word, node in table.entries.items():
            if word in ("settings", "connect", "schedules") and isinstance(node, Table):
                lost = frozenset(name for name, part in node.entries.items() if _misses(part, unfilled))
                kept = {name: part for name, part in node.entries.items() if name not in lost}
                entries[word] = Table(kept, node.place, node.keys)
                self._flow.unread[entry.name] |= lost
            elif _misses(node, unfilled):
                del entries[word]
        return Table(entries, table.place, table.keys)

    def _unset(self, kept: Table, table: Table) -> dict[str, Any]:
        """The settings that are written and lack a variable: they are there, and nobody knows their values."""
        written = table.entries.get("settings")
        return (
            {name: UNSET for name in written.entries if name not in kept.entries} if isinstance(written, Table) else {}
        )

    def _without_class(self, name: str, policies: dict[str, Any], connect: Any, schedules: Any) -> None:
        """What is wrong beside the class."""
        self._try(lambda: read_policies(Policies(), policies, name))
        self._try(lambda: read_wires(connect, name))
        self._try(lambda: read_schedules(schedules, name))

    def _in_part(self, name: str, source: Any, settings: Any, connect: Any, rest: dict[str, Any]) -> None:
        """Add what can be, so that the settings, and the connections to the service, are looked at too."""
        self._flow.unread.setdefault(name, frozenset())
        try:
            self._flow.add(source, name, settings=settings, connect=connect, **rest)
        except ConfigurationError:  # it is told already
            self._flow.unread[name] |= connect.keys()
            with contextlib.suppress(ConfigurationError):  # the name is taken
                self._flow.add(source, name, settings=settings, **rest)

    def _part(self, table: Table, name: str, word: str) -> Table:
        node = table.entries.get(word)
        if node is None:
            return Table({})
        return self._reader.table(node, f"{name}.{word}", f"{word}: {{NAME: VALUE}}") or Table({})

    def _word(self, table: Table, name: str, word: str, kind: Any, default: str) -> Any:
        node = table.entries.get(word)
        read = default if node is None else self._reader.read(node, kind, f"{name}.{word}")
        return default if read is UNREAD else read

    def _see_to_secrets(self, entry: Entry, source: Any, given: Table) -> None:
        for name, declared in settings_of(source).items():
            node = given.entries.get(name)
            if node is None or holds_secret(node) or not _is_secret(source, name, declared.secret):
                continue
            if any(leaf.value and not _is_open(leaf) for leaf in _secrets_in(node, source)):
                variable = f"{entry.name}_{name}".upper().replace("-", "_")
                self.notes.append(
                    f"{entry.name}.{name} ({node.place}): a secret stands in the file as text; write "
                    f"${{secret:{variable}}} and give it as a variable or a file"
                )


_PASSWORD = re.compile(r"://[^/?#]*:[^/?#]*@|[?&;]\w*(?:password|secret|token)\w*=", re.IGNORECASE)
_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


def _is_open(leaf: Leaf) -> bool:
    """Whether everybody may see what is written: a reference, or a URL without a password."""
    text = leaf.written
    return "${" in text or (_URL.match(text) is not None and _PASSWORD.search(text) is None)


_TELLING = re.compile("auth|cookie|connection|key|pass|secret|sign|token", re.IGNORECASE)


def _secrets_in(node: Node, source: Any) -> Iterator[Leaf]:
    """The values of a secret setting that are secret. A table of an adapter, such as headers, has others beside them,
    and the names tell."""
    if not isinstance(node, Table) or not _is_native(source):
        yield from leaves(node)
        return
    for name, part in node.entries.items():
        if isinstance(part, Table) or _TELLING.search(name):
            yield from _secrets_in(part, source)


def _is_native(source: Any) -> bool:
    return issubclass(source if isinstance(source, type) else type(source), Service)


def _misses(node: Node, unfilled: frozenset[str | None]) -> bool:
    """Whether a reference in it could not be filled in; such a leaf is left empty at its place."""
    return any(leaf.style == "given" and leaf.value == "" and leaf.place in unfilled for leaf in leaves(node))


def _is_secret(source: Any, name: str, declared: bool) -> bool:
    """Whether a setting is secret, by its declaration or by its annotation, which is not resolved for that."""
    if declared:
        return True
    if isinstance(source, types.ModuleType):
        owners: tuple[Any, ...] = (source,)
    else:
        owners = (source if isinstance(source, type) else type(source)).__mro__
    for owner in owners:
        annotation = own_annotations(owner).get(name)
        if annotation is not None:
            return "Secret" in str(annotation)
    return False
