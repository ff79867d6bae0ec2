"""User code that changed on disk: found, forgotten so that it is imported anew, and put back where that fails.

The user's modules are those with a source file, except what belongs to Python, to Junctor or to an installed package.
A module is forgotten together with all that import it, so that no half of the code holds classes of the other half's
past. What did not change stays as it is: its classes are the same objects, and a service of them has no reason to
start again.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import importlib
import importlib.util
import os
import sys
import time
import types
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from junctor.errors import ConfigurationError
from junctor.observe.frames import is_users

_MAIN = ("__main__", "__mp_main__")
_TICK = 10_000_000
"""Nanoseconds by which the time of a file may lag behind the clock."""


class _Import(NamedTuple):
    """A module of the user and its file as it was imported; no digest: it may have changed while it was imported."""

    module: types.ModuleType
    file: str
    stat: tuple[int, int, int]
    digest: bytes | None


_imports: dict[str, _Import] = {}
_others: dict[str, types.ModuleType] = {}
_noted = time.time_ns()
_changing = False


def note_imports() -> None:
    """Remember the files of the user's modules as they are now, of each when it is met for the first time.

    A file that was written since the last call cannot be told from one that changed after its import: it counts as
    changed, and is imported once more.
    """
    global _noted
    now = time.time_ns()
    for name, module in list(sys.modules.items()):
        known = _imports.get(name)
        if (known is not None and known.module is module) or _others.get(name) is module:
            continue
        made = _import_of(name, module, now)
        if made is not None:
            _imports[name] = made
        else:
            _others[name] = module
    for name in [name for name in _imports if name not in sys.modules]:
        del _imports[name]
    _noted = now


def _import_of(name: str, module: types.ModuleType, now: int) -> _Import | None:
    file = getattr(module, "__file__", None)
    if not isinstance(file, str) or name in _MAIN or not is_users(file):
        return None
    file = os.path.abspath(file)
    stat = _stat(file)
    in_doubt = _noted - _TICK <= stat[0] <= now
    return _Import(module, file, stat, None if in_doubt else _digest(file))


def _stat(file: str) -> tuple[int, int, int]:
    """When it was written, its size, its number; zeros where it is gone."""
    try:
        found = os.stat(file)
    except OSError:
        return (0, 0, 0)
    return found.st_mtime_ns, found.st_size, found.st_ino


def _digest(file: str) -> bytes:
    try:
        with open(file, "rb") as source:
            return blake2b(source.read(), digest_size=16).digest()
    except OSError:
        return b""


def watched_files() -> list[Path]:
    """The source files of the user's modules that are imported now."""
    note_imports()
    return sorted({Path(known.file) for known in _imports.values()})


def changed_files() -> list[Path]:
    """Those of :func:`watched_files` whose text is not the imported one, or that are gone."""
    note_imports()
    return sorted({Path(_imports[name].file) for name in _changed()})


def _changed() -> list[str]:
    names = []
    for name, known in list(_imports.items()):
        stat = _stat(known.file)
        if stat == known.stat and known.digest is not None:
            continue
        if _digest(known.file) != known.digest:
            names.append(name)
        else:
            _imports[name] = known._replace(stat=stat)  # only touched
    return names


def forget_changed() -> list[str]:
    """Forget the modules whose file changed since they were imported, with all that import them.

    The next import runs their new text, whatever Python has cached of the old one. Answers their names.
    """
    note_imports()
    changed = _changed()
    names = _with_importers(changed)
    for name in changed:
        with contextlib.suppress(OSError, NotImplementedError):
            # It tells the old text from the new by size and whole seconds, which is too coarse.
            os.unlink(importlib.util.cache_from_source(_imports[name].file))
    for name in names:
        _forget(name)
    importlib.invalidate_caches()
    return sorted(names)


def _forget(name: str) -> None:
    module = sys.modules.pop(name, None)
    parent, _, child = name.rpartition(".")
    if module is not None and getattr(sys.modules.get(parent), child, None) is module:
        delattr(sys.modules[parent], child)  # else `from package import module` would find it there


@contextmanager
def changed_modules() -> Iterator[list[str]]:
    """What changed is forgotten in the block, where it is to be loaded again; if the block fails, the old modules are
    back, so that the running code and what it imports later belong together::

        with changed_modules() as names:
            flows = [load(text) for text in texts]

    :return: the names of the forgotten modules.
    :raises ConfigurationError: somebody else is inside such a block; half of its modules would be taken for ours.
    """
    global _changing
    if _changing:
        raise ConfigurationError("the flows are just being loaded again", fix="Try again in a moment.")
    note_imports()
    before = dict(sys.modules)
    noted = dict(_imports)
    bytecode = sys.dont_write_bytecode
    sys.dont_write_bytecode = _changing = True
    try:
        yield forget_changed()
    except BaseException:
        _put_back(before, noted)
        raise
    finally:
        sys.dont_write_bytecode = bytecode
        _changing = False
    note_imports()


def _put_back(before: dict[str, types.ModuleType], noted: dict[str, _Import]) -> None:
    note_imports()
    for name in [name for name in _imports if name not in before]:
        _forget(name)  # only the user's: what was installed meanwhile does not like to be imported twice
    for name, known in noted.items():
        sys.modules[name] = known.module
        parent, _, child = name.rpartition(".")
        if parent in before:
            setattr(before[parent], child, known.module)
    _imports.clear()
    _imports.update(noted)


# Who imports whom ---------------------------------------------------------------------------------------------


def _with_importers(changed: Iterable[str]) -> set[str]:
    """The modules, what lies in those that are packages, and all that import one of them, directly or not."""
    needs = {name: _needs(name, known) for name, known in _imports.items()} if changed else {}
    found: set[str] = set()
    more = set(changed)
    while more:
        found |= more
        more = {
            name
            for name, needed in needs.items()
            if name not in found and (needed & more or any(name.startswith(f"{package}.") for package in more))
        }
    return found


def _needs(name: str, known: _Import) -> set[str]:
    """The names of all that a module imports, wherever in its text, or has from elsewhere among its globals."""
    values = list(vars(known.module).values())
    needed = {str(value.__module__) for value in values if isinstance(value, types.FunctionType | type)}
    needed |= {value.__name__ for value in values if isinstance(value, types.ModuleType)}
    # Python makes the modules of a package its attributes, whoever imports them.
    needed = {other for other in needed if not other.startswith(f"{name}.")}
    package = getattr(known.module, "__package__", None) or ""
    with contextlib.suppress(OSError):
        needed |= _imported_in(Path(known.file).read_bytes(), package)
    return needed - {name}


@functools.lru_cache(maxsize=4096)
def _imported_in(source: bytes, package: str) -> frozenset[str]:
    """The names in all import statements; none where the text is no Python."""
    found: set[str] = set()
    with contextlib.suppress(SyntaxError, ValueError):
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                base = _absolute(node, package)
                found |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    return frozenset(found)


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    base = ".".join(parts[: len(parts) - node.level + 1])
    return f"{base}.{node.module}" if node.module else base
