"""Flow files: from YAML, with what is included in it and laid over it, to a flow."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from junctor.errors import ConfigurationError, SeveralProblems
from junctor.flows.alerts import read_alerts
from junctor.flows.files.entry import Entry, EntryReader
from junctor.flows.files.interpolate import Interpolation
from junctor.flows.files.reading import UNREAD, Reader, described
from junctor.flows.files.tree import gather
from junctor.flows.files.variables import Secrets, label_of, read_env_files, read_variables
from junctor.flows.files.written import as_written
from junctor.flows.model import FlowModel, read_http
from junctor.flows.overrides import Overrides
from junctor.flows.retention import read_retention
from junctor.http.settings import HttpSettings
from junctor.services import checked_name
from junctor.services.names import fit_name
from junctor.settings import Leaf, Series, Table
from junctor.settings.written import Node, holds_secret, places_in

SECRETS_FILE = "secrets.env"
"""The file of secrets beside a flow file, where it names none."""


class LoadedFile(msgspec.Struct, frozen=True):
    """A flow, the files it was made of in the order in which they were read, and the variables it was made with."""

    flow: FlowModel
    files: tuple[Path, ...]
    variables: Mapping[str, str]


def load_file(text: str, overrides: Overrides, enabled: frozenset[str] = frozenset()) -> LoadedFile:
    """The flow of a file, with overlays, variables and secrets; its classes are imported.

    :param text: the path as the user named it.
    :param enabled: names of services that are to be there though the file switches them off.
    :raises ConfigurationError: all that is wrong with the files, each with its place.
    """
    return _Loader(Path(text), overrides, enabled).load()


class _Loader:
    def __init__(self, path: Path, overrides: Overrides, enabled: frozenset[str]) -> None:
        self._path = path
        self._folder = Path(os.path.abspath(path)).parent
        self._overrides = overrides
        self._enabled = enabled
        self._reader = Reader()

    def load(self) -> LoadedFile:
        said = self._overrides
        gathered = gather(self._path, said.overlays, self._reader, name=self._own_name(), beside=said.beside)
        root, files = gathered.root, gathered.files
        variables = self._variables(root, files)
        filling = Interpolation(variables, self._secrets(root).find)
        flow = FlowModel(self._name(root, filling))
        flow.origins = filling.origins
        named = root.entries.get("flow")
        flow.places = {"flow": named.place if named is not None else f"{label_of(self._path)}:1"}
        entries = EntryReader(flow, self._reader, filling, self._enabled)
        services = root.entries.get("services")
        if isinstance(services, Table):
            for name, node in services.entries.items():
                place = services.keys.get(name, node.place)
                entries.add(Entry(name, node, place, gathered.folders.get(name) or self._folder.resolve()))
        notes = [*gathered.notes, *entries.notes, *self._sections(flow, root, filling)]
        if isinstance(services, Table):
            flow.broken = frozenset(name for name in services.entries if flow.item(name) is None)
        self._raise(flow, filling)
        flow.notes = tuple(notes)
        return LoadedFile(flow, tuple(files), variables)

    def _raise(self, flow: FlowModel, filling: Interpolation) -> None:
        problems = [*([] if self._overrides.incomplete else filling.problems), *self._reader.problems]
        if not problems and (flow.services or flow.disabled):
            return
        label = label_of(self._path)
        if not problems:
            fix = "Write services: {alarm: {class: alarm:Alarm}}."
            raise ConfigurationError("there is no service in it", where=label, fix=fix)
        # What is wrong with the settings of the others is told along with it.
        for item in flow.services:
            try:
                item.spec()
            except ConfigurationError as error:
                problems += error.problems if isinstance(error, SeveralProblems) else (error,)
        wrong = SeveralProblems.of(map(flow.explained, problems), label)
        wrong.rest = flow
        raise wrong

    # Variables and secrets ----------------------------------------------------------------------------------

    def _variables(self, root: Table, files: list[Path]) -> dict[str, str]:
        found: dict[str, str] = {}
        for path, place in self._paths(root, "env_file"):
            found.update(_placed(read_variables, path, place))
            files.append(path)
        files += [Path(os.path.abspath(file)) for file in self._overrides.env_files]
        return {**found, **read_env_files(self._overrides.env_files)}

    def _secrets(self, root: Table) -> Secrets:
        named = self._paths(root, "secrets_file")
        if len(named) > 1:
            self._reader.wrong("secrets_file", named[1][1], "there is more than one", "Put them into one file.")
        path = named[0][0] if named else self._folder / SECRETS_FILE
        exists = bool(named) or path.is_file()
        return Secrets(os.environ, path if exists else None, label_of(path))

    def _paths(self, root: Table, word: str) -> list[tuple[Path, str]]:
        node = root.entries.get(word)
        found = []
        for part in () if node is None else node.items if isinstance(node, Series) else (node,):
            if isinstance(part, Leaf) and isinstance(part.value, str) and part.value and "${" not in part.value:
                found.append((self._folder / part.value, part.place))
            else:
                what = f"expected the path of a file, got {described(part)}"
                self._reader.wrong(word, part, what, "Write a path as seen from the flow file.")
        return found

    # Sections -----------------------------------------------------------------------------------------------

    def _name(self, root: Table, filling: Interpolation) -> str:
        node = root.entries.get("flow")
        own = self._own_name()
        if node is None or self._overrides.name:
            return self._overrides.name or own
        before = len(filling.problems)
        name = self._reader.read(filling.filled(node), str, "flow")
        if name is UNREAD or len(filling.problems) > before:
            return own
        try:
            return checked_name(name, f"flow ({node.place})")
        except ConfigurationError as error:
            self._reader.problems.append(error)
            return own

    def _own_name(self) -> str:
        """The name of a flow that has none in its file."""
        path = Path(os.path.abspath(self._path))
        return fit_name(path.parent.name if path.stem == "flow" and path.parent.name else path.stem)

    def _sections(self, flow: FlowModel, root: Table, filling: Interpolation) -> list[str]:
        """Read ``http``, ``alerts`` and ``retention``; answer what is to be said about them."""
        notes: list[str] = []
        sections: dict[str, Any] = {}
        for word in ("http", "alerts", "retention"):
            node = root.entries.get(word)
            if node is None:
                continue
            before = len(filling.problems)
            filled = filling.filled(node)
            sections[word] = as_written(node)
            if len(filling.problems) > before:
                continue
            if word == "http":
                flow.http = self._http(filled)
                flow.places = {**flow.places, **places_in(filled, "http", node.place)}
                notes += _open_keys(filled)
            elif word == "retention":
                flow.retention = read_retention(self._reader, filled)
            else:
                flow.alerts = read_alerts(self._reader, filled)
        flow.sections = sections
        return notes

    def _http(self, node: Node) -> HttpSettings | None:
        reader = Reader(secrets=True)
        read = read_http(reader, node)
        self._reader.problems += reader.problems
        return read


def _placed(read: Any, path: Path, place: str) -> dict[str, str]:
    try:
        found: dict[str, str] = read(path, label_of(path))
    except ConfigurationError as error:
        if error.where != label_of(path):
            raise  # it has a line of its own
        raise ConfigurationError(f"{error.where}: {error.what}", where=place, fix=error.fix) from error
    return found


def _open_keys(node: Node) -> list[str]:
    keys = node.entries.get("keys") if isinstance(node, Table) else None
    notes = _open_keys(node.entries["admin"]) if isinstance(node, Table) and "admin" in node.entries else []
    for key in keys.items if isinstance(keys, Series) else ():
        secret = key.entries.get("secret") if isinstance(key, Table) else None
        if isinstance(secret, Leaf) and isinstance(secret.value, str) and not holds_secret(secret):
            if "${" not in secret.written and not secret.value.startswith("sha256:"):
                what = "an API key stands in the file as text; write ${secret:NAME} or sha256:HEX"
                notes.append(f"{secret.place}: {what}")
    return notes
