"""``self._route``, which nothing defines."""

from __future__ import annotations

from collections.abc import Iterator

from junctor.dialects.doctors import Finding, Project
from junctor.dialects.doctors.source import is_self
from junctor.dialects.pip_services.doctor.classes import registrations, rest_services


def check(project: Project) -> Iterator[Finding]:
    """A route takes the name of its handler: the other half of the address is the base route."""
    for each, line in rest_services(project):
        if any(one.assigns("_route") for one in line):
            continue
        for found in registrations(each):
            if found.route is not None and is_self(found.route, "_route"):
                route = f"/{found.handler}"
                what = f"{each.node.name} has no self._route; its handler is called {found.handler}"
                edits = each.source.replaced(found.route, f'"{route}"')
                fix = f'Write route="{route}".'
                yield Finding("undefined-route", each.source.file, found.route.lineno, what, edits, fix=fix)
