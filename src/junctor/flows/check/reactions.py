"""Whether the exceptions that ``retry: {on: ...}`` names are known: a misspelled one never reacts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from junctor.core.retry import is_named
from junctor.errors import nearest
from junctor.flows.check.findings import Finding, place_of
from junctor.flows.check.places import owner_of
from junctor.flows.model import Item
from junctor.flows.wiring import Wiring


def reaction_findings(wirings: Sequence[Wiring]) -> Iterator[Finding]:
    """Findings about the names of exceptions in policies."""
    known: set[str] = set()
    for wiring in wirings:
        for service in wiring.plan.services:
            item = wiring.model.item(service.spec.name)
            named = service.spec.policies.retry.on
            if item is None or not named or owner_of(item.source) is None:
                continue  # what the code of a dialect raises is its own
            known = known or _names()  # the modules of the flow are imported by now
            for name in named:
                if not _is_known(name, known):
                    yield _unknown(item, name, known, wirings)


def _unknown(item: Item, name: str, known: set[str], wirings: Sequence[Wiring]) -> Finding:
    where = f"{item.name}.retry.on"
    close = nearest(name, known)
    fix = close.strip() if close.startswith("Did") else "Write the name of the class."
    place = item.places.get(f"retry.on.{name}") or place_of(item.name, [wiring.model for wiring in wirings])
    what = f"nobody knows an exception {name}: neither Python nor a module that is imported has one"
    return Finding("warning", "reaction", where, what, fix, place)


def _is_known(name: str, known: set[str]) -> bool:
    """A name alone, or one with the module of the class or a package above it in front."""
    if name in known or "." not in name:
        return name in known
    last = name.rpartition(".")[2]
    return any(is_named(name, last, one.rpartition(".")[0]) for one in known if one.endswith(f".{last}"))


def _names() -> set[str]:
    """The names of all exception classes that are loaded now, alone and with their modules."""
    found: set[str] = set()
    waiting: list[type[BaseException]] = [BaseException]
    seen = {BaseException}
    while waiting:
        kind = waiting.pop()
        found |= {kind.__name__, f"{kind.__module__}.{kind.__name__}"}
        below = [one for one in type.__subclasses__(kind) if one not in seen]
        seen.update(below)
        waiting += below
    return found
