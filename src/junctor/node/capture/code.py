"""Where the code of a service came from: module and class, distribution, source file with its hash, Git commit.

Reads files only; no program is run.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import re
import types
from importlib import metadata
from pathlib import Path
from typing import Any

from junctor.core.spec import ServiceSpec
from junctor.node.capture.file import CapturedCode

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def code_of(source: Any, started: float) -> CapturedCode:
    """The code of a service.

    :param source: what the flow has as the service: an object, a class, a module, or a spec.
    :param started: when the node started, in seconds since 1970.
    """
    if isinstance(source, ServiceSpec):
        module, _, name = source.code.partition(":")
        return CapturedCode(module=module, name=name, distribution=distribution_of(module))
    if isinstance(source, types.ModuleType):
        code = CapturedCode(module=source.__name__)
    else:
        cls = source if isinstance(source, type) else type(source)
        code = CapturedCode(module=cls.__module__, name=cls.__qualname__)
        source = cls
    code.distribution = distribution_of(code.module)
    _add_file(code, source, started)
    return code


def _add_file(code: CapturedCode, source: Any, started: float) -> None:
    try:
        path = Path(inspect.getsourcefile(source) or inspect.getfile(source)).resolve()
        data = path.read_bytes()
        code.changed = path.stat().st_mtime > started
    except (OSError, TypeError):
        return  # typed into an interpreter, or gone since
    project = project_of(path)
    code.file = str(path.relative_to(project)) if project is not None else path.name
    code.sha256 = hashlib.sha256(data).hexdigest()
    code.commit = commit_of(project) if project is not None else ""


def project_of(path: Path) -> Path | None:
    """The folder above with a Git repository."""
    return next((folder for folder in path.parents if (folder / ".git").exists()), None)


def commit_of(project: Path) -> str:
    """The commit that a project stands at, as its repository says; empty where it cannot be read."""
    try:
        git = _repository(project / ".git")
        head = (git / "HEAD").read_text().strip()
        reference = head.removeprefix("ref: ")
        found = head if reference == head else _resolved(git, reference)
    except (OSError, UnicodeDecodeError):
        return ""
    return found if _COMMIT.fullmatch(found) else ""


def _repository(git: Path) -> Path:
    """The folder itself, or, of a worktree and a submodule, the one that its file names."""
    if git.is_dir():
        return git
    named = git.read_text().strip().removeprefix("gitdir: ")
    return (git.parent / named).resolve()


def _resolved(git: Path, reference: str) -> str:
    common = git / "commondir"
    folders = [git, (git / common.read_text().strip()).resolve()] if common.exists() else [git]
    for folder in folders:
        if (folder / reference).is_file():
            return (folder / reference).read_text().strip()
        packed = folder / "packed-refs"
        if packed.exists():
            for line in packed.read_text().splitlines():
                commit, _, name = line.partition(" ")
                if name == reference:
                    return commit
    return ""


def distribution_of(module: str) -> str:
    """The installed distribution with a module and its version, ``shop 1.2``; empty where nothing installed has it."""
    names = _distributions().get(module.partition(".")[0], [])
    if not names:
        return ""
    try:
        return f"{names[0]} {metadata.version(names[0])}"
    except metadata.PackageNotFoundError:
        return names[0]


@functools.cache
def _distributions() -> dict[str, list[str]]:
    return dict(metadata.packages_distributions())
