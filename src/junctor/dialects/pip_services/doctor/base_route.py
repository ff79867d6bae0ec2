"""A base route that is the name of the service with one letter wrong."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from junctor.dialects.doctors import Finding, Project
from junctor.dialects.doctors.source import is_self, sources, text_of
from junctor.dialects.pip_services.doctor.classes import rest_services

_CONFIGURED = re.compile(r"descriptor:\s*[\"']?([\w-]+):")
_BETWEEN = re.compile(r"[-_]")
_SHORTEST = 4
"""Of shorter words, one letter more or less may well be another word."""


def check(project: Project) -> Iterator[Finding]:
    """The group of the descriptors says how the service is called. An address that a text of the project documents, or
    a test calls, is in use and stays as it is."""
    groups = sorted(_groups(project))
    for each, _ in rest_services(project):
        for node in ast.walk(each.node):
            if isinstance(node, ast.Assign) and any(is_self(target, "_base_route") for target in node.targets):
                found = (text_of(node.value) or "").strip("/")
                meant = next((made for group in groups if (made := _meant(found, group))), "")
                if meant and not _is_in_use(project, found):
                    what = (
                        f'the base route "{found}" is not the name of the service, "{meant}" ({_origin(meant, groups)})'
                    )
                    literal = ast.get_source_segment(each.source.text, node.value) or ""
                    edits = each.source.replaced(node.value, literal.replace(found, meant))
                    yield Finding("base-route", each.source.file, node.lineno, what, edits)


def _origin(meant: str, groups: list[str]) -> str:
    group = next(group for group in groups if _BETWEEN.sub("_", group) == _BETWEEN.sub("_", meant))
    return f"descriptors: {group}"


def _groups(project: Project) -> set[str]:
    found = {group for text in project.named("*.yml", "*.yaml").values() for group in _CONFIGURED.findall(text)}
    for source in sources(project):
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "Descriptor" and node.args:
                found.add(text_of(node.args[0]) or "")
    return found


def _meant(route: str, group: str) -> str:
    """The route with its one wrong word put right; empty where it is right, or another name."""
    words, wanted = _BETWEEN.split(route), _BETWEEN.split(group)
    wrong = [index for index, (one, other) in enumerate(zip(words, wanted, strict=False)) if one != other]
    if len(words) != len(wanted) or len(words) < 2 or len(wrong) != 1:
        return ""
    one, other = words[wrong[0]], wanted[wrong[0]]
    if min(len(one), len(other)) < _SHORTEST or one + "s" == other or other + "s" == one or not _is_near(one, other):
        return ""
    marks = [*_BETWEEN.findall(route), ""]
    return "".join(word + mark for word, mark in zip(wanted, marks, strict=True))


def _is_near(one: str, other: str) -> bool:
    """Whether one letter is missing, too much, or another, or two are changed over."""
    if len(one) > len(other):
        one, other = other, one
    if len(one) == len(other):
        places = [index for index, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
        return len(places) == 1 or len(places) == 2 and [one[i] for i in places] == [other[i] for i in reversed(places)]
    return len(other) == len(one) + 1 and any(other[:i] + other[i + 1 :] == one for i in range(len(other)))


def _is_in_use(project: Project, route: str) -> bool:
    used = re.compile(rf"/{re.escape(route)}/")
    return any(used.search(text) for text in project.named("*.md", "*.rst", "*.py").values())
