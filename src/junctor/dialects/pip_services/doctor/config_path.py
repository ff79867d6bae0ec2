"""A path of the configuration that ends with ``.yaml`` where the file ends with ``.yml``, or the other way round."""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Iterator

from junctor.dialects.doctors import Finding, Project
from junctor.dialects.doctors.source import is_self, text_of
from junctor.dialects.pip_services.doctor.classes import Class, classes

_OTHER = {".yaml": ".yml", ".yml": ".yaml"}


def check(project: Project) -> Iterator[Finding]:
    for each in classes(project):
        for node in ast.walk(each.node):
            if isinstance(node, ast.Assign) and any(is_self(target, "_config_path") for target in node.targets):
                yield from _of_path(project, each, node.value)


def _of_path(project: Project, each: Class, value: ast.expr) -> Iterator[Finding]:
    path = text_of(value) or ""
    stem, ending = posixpath.splitext(path)
    meant = stem + _OTHER.get(ending, "")
    if ending not in _OTHER or _is_there(project, each, path) or not _is_there(project, each, meant):
        return
    literal = ast.get_source_segment(each.source.text, value) or ""
    edits = each.source.replaced(value, literal.replace(path, meant)) if path in literal else ()
    what = f"there is no file {path}; there is {meant}"
    yield Finding("config-path", each.source.file, value.lineno, what, edits, fix=f"Write {meant}.")


def _is_there(project: Project, each: Class, path: str) -> bool:
    """Seen from the folder of the project, where it is started, or from that of the class."""
    if posixpath.isabs(path):
        return project.has(path)
    beside = posixpath.join(posixpath.dirname(each.source.file), path)
    return project.has(posixpath.normpath(path)) or project.has(posixpath.normpath(beside))
