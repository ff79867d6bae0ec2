"""What ``junctor check`` finds: values, so that a terminal, a script and an editor can each show them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

import msgspec

from junctor.errors import ImportFailed, JunctorError, SeveralProblems
from junctor.flows.check.places import owner_of, place_in
from junctor.flows.model import FlowModel, Item

Level = Literal["error", "warning", "note"]

_BEHIND = re.compile(r"^(?P<where>.*?)(?:^|\s+)\((?P<place>[^()]+)\)$")
_ALONE = re.compile(r"^\S.*(:\d+|\.(ya?ml|py))$")
_LINE = re.compile(r"^(?P<file>.+?):(?P<line>\d+)(:\d+)?$")


class Finding(msgspec.Struct, frozen=True):
    """One thing about a flow.

    ``code`` is a stable word for the kind of finding. ``where`` names the thing (``alarm.limit``), ``place`` is the
    file with its line (``flow.yaml:12``), empty where there is none. ``see`` are other places that matter.
    """

    level: Level
    code: str
    where: str
    what: str
    fix: str = ""
    place: str = ""
    see: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        found = _LINE.match(self.place)
        return found["file"] if found is not None else self.place

    @property
    def line(self) -> int:
        found = _LINE.match(self.place)
        return int(found["line"]) if found is not None else 0


class Report(msgspec.Struct, frozen=True):
    """All findings, with how much was looked at."""

    findings: tuple[Finding, ...]
    flows: int = 0
    services: int = 0
    connections: int = 0
    messages: int | None = None

    def count(self, level: Level) -> int:
        return sum(finding.level == level for finding in self.findings)


def problems_in(error: JunctorError) -> Iterator[JunctorError]:
    """The single errors of one that may stand for several."""
    if isinstance(error, SeveralProblems):
        for problem in error.problems:
            yield from problems_in(problem)
    else:
        yield error


def of_error(error: JunctorError, models: Iterable[FlowModel] = ()) -> Finding:
    """An error as a finding. The place is the one in its text, else that of the thing it names."""
    where, place = split(error.where or "")
    return Finding("error", error.code, where, error.what.rstrip("."), error.fix, place or place_of(where, models))


def once(findings: Iterable[Finding]) -> list[Finding]:
    """Each package that is missing once, with the other places that need it."""
    kept: list[Finding] = []
    for finding in findings:
        lacks = finding.code == ImportFailed.code and finding.fix.startswith("Install it")
        first = next((number for number, one in enumerate(kept) if lacks and one.fix == finding.fix), None)
        if first is None:
            kept.append(finding)
        else:
            also = f"also needed by {finding.where}: {finding.place}" if finding.where else finding.place
            kept[first] = msgspec.structs.replace(kept[first], see=(*kept[first].see, also))
    return kept


def split(where: str) -> tuple[str, str]:
    """Name and place of ``alarm.limit (flow.yaml:12)``, of ``flow.yaml:12`` and of ``alarm.limit``."""
    found = _BEHIND.match(where)
    if found is not None:
        return found["where"], found["place"]
    return ("", where) if _ALONE.match(where) else (where, "")


def _of_class(model: FlowModel, name: str) -> Item | None:
    """The first service that is made of a class of this name: errors of a class name it."""
    return next((item for item in model.items if getattr(owner_of(item.source), "__qualname__", "") == name), None)


def place_of(where: str, models: Iterable[FlowModel]) -> str:
    """The file and line of ``service.member`` or ``flow/service.member``: in the flow file, else in the code."""
    path, _, rest = where.partition(".")
    flow, _, name = path.rpartition("/")
    for model in models:
        item = model.item(name) if flow in ("", model.name) else None
        if item is not None:
            written: Mapping[str, str] = item.places
            member = rest.partition(".")[0]
            exact = written.get(rest) or written.get(f"connect.{rest}") if rest else ""
            return exact or (place_in(item, member) if member else "") or item.place or place_in(item)
        if (item := _of_class(model, path)) is not None:
            return (place_in(item, rest) if rest else "") or place_in(item)
        if where == f"flow {model.name}":
            return model.place("flow")
        if where.startswith("http") and (where.endswith(f" of flow {model.name}") or " of flow " not in where):
            if model.http is not None:
                return model.place(where.partition(" ")[0].rstrip(","))
    return ""
