"""The files that make up one flow: the flow file, what it includes, what is laid over it, as one tree."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from junctor.errors import ConfigurationError, SeveralProblems, nearest
from junctor.flows.files.document import read_document
from junctor.flows.files.origin import MADE_OF
from junctor.flows.files.overlay import laid_over
from junctor.flows.files.reading import Reader, described
from junctor.flows.files.variables import label_of
from junctor.settings import Leaf, Series, Table
from junctor.settings.written import Node

FLOW_WORDS = frozenset({"flow", "services", "http", "alerts", "retention", "include", "env_file", "secrets_file"})
"""The keys of a flow file, beside those that begin with ``x-``."""
_NOT_INCLUDED = ("http", "retention", "env_file", "secrets_file")
_MOST_FILES = 100


class Gathered(msgspec.Struct):
    """One tree for several files. ``folders`` has the folder of each service: its classes are looked for there."""

    root: Table
    files: list[Path] = []
    folders: dict[str, Path] = {}
    notes: list[str] = []


def gather(path: Path, overlays: tuple[str, ...], reader: Reader, *, name: str = "", beside: bool = False) -> Gathered:
    """The flow file with its includes and overlays.

    :param name: the name of the flow where the file says none.
    :param beside: there are other flows; an overlay is for the one that it names with ``flow:``.
    :param reader: gets what is wrong with their shape.
    :raises ConfigurationError: one of them cannot be read at all, or they include each other.
    """
    gathering = _Gathering(reader)
    gathered = gathering.read(Path(os.path.abspath(path)), ())
    for overlay in overlays:
        gathered.root = gathering.over(gathered.root, Path(os.path.abspath(overlay)), name if beside else None)
    gathered.files = gathering.files
    gathered.notes = gathering.notes
    return gathered


class _Gathering:
    def __init__(self, reader: Reader) -> None:
        self.files: list[Path] = []
        self.notes: list[str] = []
        self._reader = reader

    def read(self, path: Path, within: tuple[Path, ...]) -> Gathered:
        root = self._document(path)
        gathered = Gathered(root, folders=dict.fromkeys(_services(root).entries, path.parent.resolve()))
        include = root.entries.get("include")
        for name, place in self._included(include) if include is not None else ():
            other = Path(os.path.abspath(path.parent / name))
            chain = (*within, path)
            if other in chain:
                circle = " -> ".join(label_of(one) for one in (*chain[chain.index(other) :], other))
                raise ConfigurationError(
                    f"the files include each other: {circle}", where=place, fix="Remove one of these includes."
                )
            if len(self.files) >= _MOST_FILES:
                what = f"there are more than {_MOST_FILES} files"
                raise ConfigurationError(what, where=place, fix="Include fewer files.")
            self._join(gathered, self.read(other, chain), place)
        return gathered

    def _document(self, path: Path) -> Table:
        label = label_of(path)
        root = self._read(path, label)
        self.files.append(path)
        entries = {key: node for key, node in root.entries.items() if not key.startswith("x-")}
        root = Table(entries, root.place, root.keys)
        self._reader.known(root, FLOW_WORDS, "", "key of a flow")
        services = entries.get("services")
        example = "services: {alarm: {class: alarm:Alarm}}"
        if services is not None and self._reader.table(services, "services", example) is None:
            entries["services"] = Table({}, services.place)
        return root

    def _read(self, path: Path, label: str) -> Table:
        """The content of a file; what is wrong only here and there does not hide what is wrong elsewhere."""
        try:
            return read_document(path, label)
        except ConfigurationError as error:
            if not isinstance(error.rest, Table):
                raise
            self._reader.problems += error.problems if isinstance(error, SeveralProblems) else [error]
            return error.rest

    def _included(self, node: Node) -> list[tuple[str, str]]:
        """The paths that a file includes, each with its place."""
        found = []
        for part in node.items if isinstance(node, Series) else (node,):
            if isinstance(part, Leaf) and isinstance(part.value, str) and part.value.endswith((".yaml", ".yml")):
                found.append((part.value, part.place))
            else:
                what = f"expected the path of a flow file, got {described(part)}"
                self._reader.wrong("include", part, what, "Write for example [lines.yaml]; it takes no references.")
        return found

    def _join(self, into: Gathered, other: Gathered, place: str) -> None:
        """Services and alerts of an included file, in front of the file's own."""
        mine, theirs = _services(into.root), _services(other.root)
        for name in theirs.entries:
            if name in mine.entries:
                what = f'there is a service "{name}" already, at {theirs.keys.get(name, theirs.place)}'
                self._reader.wrong("", mine.keys.get(name, mine.place), what, "Give one of them another name.")
        services = Table({**theirs.entries, **mine.entries}, mine.place, {**theirs.keys, **mine.keys})
        entries = {**into.root.entries, "services": services}
        alerts, more = into.root.entries.get("alerts"), other.root.entries.get("alerts")
        if isinstance(more, Series):
            own = alerts.items if isinstance(alerts, Series) else ()
            entries["alerts"] = Series((*more.items, *own), more.place)
        self.notes += [
            f"{other.root.keys[word]}: {word} of an included file does not count"
            for word in _NOT_INCLUDED
            if word in other.root.entries
        ]
        into.root = Table(entries, into.root.place, into.root.keys)
        into.folders = {**other.folders, **into.folders}

    def _is_for(self, overlay: Table, name: str) -> bool:
        if "flow" not in overlay.entries:
            fix = "Say in it which one it is for, for example flow: plant."
            place = overlay.place or "--overlay"
            self._reader.wrong("", place, "an overlay over several flows does not say which one it is for", fix)
        return _text_of(overlay, "flow") == name

    def over(self, base: Table, path: Path, name: str | None) -> Table:
        """The flow with one overlay over it.

        :param name: the flow's own where it has others beside it, and the overlay is only for one of them.
        """
        overlay = self._document(path)
        if name is not None and not self._is_for(overlay, _text_of(base, "flow") or name):
            self.files.remove(path)
            return base
        if "include" in overlay.entries:
            fix = "Include it in the flow file, or give it as another --overlay."
            self._reader.wrong("include", overlay.keys["include"], "an overlay includes nothing", fix)
        known, given = _services(base), _services(overlay)
        for name, node in given.entries.items():
            if name not in known.entries and isinstance(node, Table) and not node.entries.keys() & MADE_OF:
                fix = f"{nearest(name, known.entries)}To add a service, give it a class or an adapter."
                what = f'there is no service "{name}" in the flow'
                self._reader.wrong("", given.keys.get(name, node.place), what, fix)
                overlay = _without(overlay, name)
        return laid_over(_to_be_made_anew(base, given), overlay, self._reader.problems)


def _text_of(root: Table, key: str) -> str:
    node = root.entries.get(key)
    return node.value if isinstance(node, Leaf) and isinstance(node.value, str) else ""


def _services(root: Table) -> Table:
    found = root.entries.get("services")
    return found if isinstance(found, Table) else Table({}, root.place)


def _without(root: Table, service: str) -> Table:
    return _with(root, {name: node for name, node in _services(root).entries.items() if name != service})


def _to_be_made_anew(root: Table, given: Table) -> Table:
    """The flow without the class of a service for which an overlay names an adapter, and the other way round."""
    kept = dict(_services(root).entries)
    for name, node in given.entries.items():
        under = kept.get(name)
        if isinstance(under, Table) and isinstance(node, Table):
            gone = {word for word in MADE_OF if node.entries.keys() & MADE_OF == set(MADE_OF) - {word}}
            entries = {word: part for word, part in under.entries.items() if word not in gone}
            kept[name] = Table(entries, under.place, under.keys)
    return _with(root, kept)


def _with(root: Table, entries: dict[str, Node]) -> Table:
    """The flow with these services."""
    services = _services(root)
    return Table({**root.entries, "services": Table(entries, services.place, services.keys)}, root.place, root.keys)
