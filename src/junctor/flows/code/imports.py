"""User code, imported: by file, by module name, from the folder of a flow.

Only here user code is imported, and only because a user named it; nothing in the path of a message ever imports.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import threading
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from hashlib import blake2b
from pathlib import Path
from typing import Any

from junctor.errors import ConfigurationError, ImportFailed, JunctorError, located, nearest, text_of
from junctor.flows.code.advice import advice, correction, requirement_of
from junctor.flows.code.modules import note_imports
from junctor.observe.frames import is_users, users_place

_loading: ContextVar[str] = ContextVar("junctor_loading", default="")


_LONGEST = 60
"""Characters of a place that an error shows."""


def loading() -> str:
    """The file or module that is being imported right now, empty for none: ``run()`` must not start a node then."""
    return _loading.get()


def import_place(place: str, folder: Path | None = None) -> types.ModuleType:
    """The module that ``cpu.py``, ``lib/cpu.py`` or ``package.module`` names, as seen from ``folder``.

    :param folder: without links; the working folder by default. It comes first on the path of Python.
    :raises ImportFailed: there is none, or its code fails; the user's own line comes first.
    """
    here = Path.cwd().resolve() if folder is None else folder
    path = here / place
    if place and _is_folder(path, place) and (os.sep in place or not (path / "__init__.py").exists()):
        raise _no_flow_in(path, place)
    if place.endswith(".py") or os.sep in place:
        if not path.exists():
            raise _no_file(path, place)
        if not place.endswith(".py"):
            raise ImportFailed("it is not a Python file", where=place, fix="Name a file that ends with .py.")
        return _import_file(path, place, None if folder is None else here)
    if not place.replace(".", "_").isidentifier() or place.startswith("."):
        what = f"there is no module {place}" if place else "a module is missing"
        raise ImportFailed(what, where=place, fix="Write it as module:Class or file.py:Class.")
    return _import_name(place, here)


def _no_flow_in(path: Path, place: str) -> ImportFailed:
    """A folder that stands for no file."""
    names = ", ".join(str(Path(place) / name) for name in sorted(file.name for file in path.glob("*.py"))[:5])
    if names:
        return ImportFailed("the folder has no flow.yaml, and several files", where=place, fix=f"Name one: {names}.")
    fix = f"Write {Path(place) / 'flow.yaml'}, or name a file; `junctor new NAME` makes a folder with all that."
    return ImportFailed("there is neither flow.yaml nor a Python file in the folder", where=place, fix=fix)


def _no_file(path: Path, place: str) -> ImportFailed:
    """Something that is not there: the first part of its path that is missing is named."""
    missing = path
    while not missing.parent.exists() and missing.parent != missing:
        missing = missing.parent
    if missing != path:
        return ImportFailed(f"there is no folder {missing.name}", where=place, fix=_near(missing, "*/"))
    kind = "file" if place.endswith(".py") else "folder" if place.endswith(os.sep) else "file or folder"
    return ImportFailed(f"there is no such {kind}", where=place, fix=_near(path, "*.py" if kind == "file" else "*"))


def _near(path: Path, kind: str) -> str:
    """What lies beside it and has nearly its name."""
    try:
        beside = [other.name for other in path.parent.glob(kind) if not other.name.startswith(".")]
    except (OSError, ValueError):
        beside = []
    return nearest(path.name, beside).strip() or "Check the path."


def _is_folder(path: Path, place: str) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError) as error:
        where = place if len(place) <= _LONGEST else f"{place[:_LONGEST]}..."
        what = f"it cannot be looked for: {getattr(error, 'strerror', error)}"
        raise ImportFailed(what, where=where, fix="Write it as module:Class or file.py:Class.") from error


def _import_name(name: str, folder: Path) -> types.ModuleType:
    top, _, rest = name.partition(".")
    own = _in_folder(top, folder)
    known = sys.modules.get(top)
    _first_on_path(folder)
    if own is not None and known is not None and not _lies_at(known, own):
        if not is_users(str(getattr(known, "__file__", None))) and not rest and own.suffix == ".py":
            return _import_file(own, name, folder)  # a file with a name of the standard library
    if own is not None and known is not None and name in sys.modules and _lies_at(known, own):
        return sys.modules[name]
    with _apart(folder):
        module = _running(name, folder, lambda: importlib.import_module(name))
    note_imports()
    return module


def _in_folder(top: str, folder: Path) -> Path | None:
    """The file or package of a name in a folder."""
    for path in (folder / top / "__init__.py", folder / f"{top}.py"):
        if path.is_file():
            return path
    return None


def _import_file(path: Path, place: str, folder: Path | None) -> types.ModuleType:
    if not path.is_file():
        raise _no_file(path, place)
    path = path.resolve()
    if folder is not None:
        _first_on_path(folder)
    if folder is None or path.parent != folder:
        _first_on_path(path.parent)
    known = sys.modules.get(path.stem)
    if known is not None and _lies_at(known, path):
        return known
    with _apart(path.parent):
        module = _executed(path)
    note_imports()
    return module


def _executed(path: Path) -> types.ModuleType:
    """The module of a file, under the name of the file where it is free."""
    name = path.stem
    known = sys.modules.get(name)
    if known is not None and not _lies_at(known, path) or not name.isidentifier():
        # Something else has this name already, perhaps of the standard library; replacing it would break its users.
        name = f"junctor_file_{name}".replace("-", "_").replace(".", "_")
        known = sys.modules.get(name)
        if known is not None and not _lies_at(known, path):
            name = f"{name}__{_mark(path.parent)}"
            known = sys.modules.get(name)
    return known or _running(str(path), path.parent, lambda: _execute(name, path))


def _execute(name: str, path: Path) -> types.ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None, path  # a .py file always has a loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _lies_at(module: types.ModuleType, path: Path) -> bool:
    file = getattr(module, "__file__", None)
    return file is not None and (file == str(path) or Path(file).resolve() == path.resolve())


def _first_on_path(folder: Path) -> None:
    if not sys.path or sys.path[0] != str(folder):
        sys.path.insert(0, str(folder))


def attribute_of(module: types.ModuleType, path: str, place: str) -> Any:
    """What ``Cpu`` or ``Outer.Inner`` is in a module.

    :raises ImportFailed: there is no such thing.
    """
    value: Any = module
    for part in path.split("."):
        if not hasattr(value, part):
            known = [name for name in vars(value) if not name.startswith("_")] if hasattr(value, "__dict__") else []
            raise ImportFailed(
                f"there is no {part}", where=place, fix=nearest(part, known).strip() or "Correct the name."
            )
        value = getattr(value, part)
    return value


# Folders whose modules have the same names --------------------------------------------------------------------


@contextmanager
def _apart(folder: Path) -> Iterator[None]:
    """Let the modules of a folder be imported by their names, though modules of another folder have these names.

    The others are set aside meanwhile. Afterwards they are back, and those of this folder go on under names of their
    own, ``bo__1f0c``: both flows keep their code. Imports inside functions, which run later, find the first.
    """
    clashing = _clashing(folder)
    if not clashing:
        yield
        return
    mark = _mark(folder)
    aside = _taken_out(clashing)
    for name, module in _of_folder(clashing, mark).items():
        sys.modules[name] = module
    importlib.invalidate_caches()
    try:
        yield
    finally:
        for name, module in _taken_out(clashing).items():
            _rename(module, _other_name(name, mark))
        sys.modules.update(aside)


def _clashing(folder: Path) -> set[str]:
    """Names of modules and packages in the folder under which user code of another folder is loaded."""
    try:
        names = {entry.name.removesuffix(".py") for entry in os.scandir(folder)}
    except OSError:
        return set()
    clashing = set()
    for name in names & sys.modules.keys() - {"__main__"}:
        file = getattr(sys.modules[name], "__file__", None)
        if isinstance(file, str) and os.path.dirname(file) in (str(folder), str(folder / name)):
            continue
        own = _in_folder(name, folder)
        if own is not None and isinstance(file, str) and is_users(file) and not _lies_at(sys.modules[name], own):
            clashing.add(name)
    return clashing


def _taken_out(tops: set[str]) -> dict[str, types.ModuleType]:
    names = [name for name in sys.modules if name.partition(".")[0] in tops]
    return {name: sys.modules.pop(name) for name in names}


def _of_folder(tops: set[str], mark: str) -> dict[str, types.ModuleType]:
    """What was imported from the folder before, by the names that its code uses."""
    found = {}
    for name, module in list(sys.modules.items()):
        top, dot, rest = name.partition(".")
        plain, sign, marked = top.rpartition("__")
        if sign and marked == mark and plain in tops:
            found[f"{plain}{dot}{rest}"] = module
    return found


def _mark(folder: Path) -> str:
    return blake2b(os.fsencode(folder), digest_size=4).hexdigest()


def _other_name(name: str, mark: str) -> str:
    top, dot, rest = name.partition(".")
    return f"{top}__{mark}{dot}{rest}"


def plain_name(name: str, folder: Path) -> str:
    """The name of a module as the code in ``folder`` knows it, though it goes on as ``bo__1f0c``."""
    top, dot, rest = name.partition(".")
    plain, _, mark = top.rpartition("__")
    return f"{plain}{dot}{rest}" if plain and mark == _mark(folder) else name


def _rename(module: types.ModuleType, name: str) -> None:
    """Let a module be found as ``name``, by Python and by what looks up the module of a class."""
    old = module.__name__
    sys.modules[name] = module
    if old == name:
        return
    module.__name__ = name
    if module.__spec__ is not None:
        module.__spec__.name = name
        module.__package__ = module.__spec__.parent
    _renamed_inside(vars(module), old, name)


def _renamed_inside(values: dict[str, object] | types.MappingProxyType[str, object], old: str, name: str) -> None:
    for value in list(values.values()):
        if isinstance(value, type | types.FunctionType) and value.__module__ == old:
            value.__module__ = name
            if isinstance(value, type):
                _renamed_inside(vars(value), old, name)


def importable(code: str) -> str:
    """``module:Class`` as another process imports the same: a module of the user goes by its file, for its name may be
    that of a module in another folder. One in a package keeps its name, without which it would not be in the package.
    """
    name, colon, rest = code.partition(":")
    file = getattr(sys.modules.get(name), "__file__", None)
    by_file = isinstance(file, str) and "." not in name and is_users(file) and not file.endswith("__init__.py")
    return f"{file}{colon}{rest}" if by_file else code


# What fails ---------------------------------------------------------------------------------------------------


def _running(place: str, folder: Path, run: Callable[[], types.ModuleType]) -> types.ModuleType:
    """Run user code; whatever it raises becomes one error with the user's own line."""
    token = _loading.set(place)
    try:
        module = run()
    except ConfigurationError as error:
        made = users_place(error)
        raise located(error, f"{_short(made.file)}:{made.line}" if made is not None else "") from error.__cause__
    except JunctorError:
        raise
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) and threading.current_thread() is threading.main_thread():
            raise  # Ctrl-C; in another thread it is the file that raises it, and nobody above expects it
        raise _import_failed(error, place, folder) from error
    finally:
        _loading.reset(token)
    return module


def _import_failed(error: BaseException, place: str, folder: Path) -> ImportFailed:
    where = _own_line(error, folder) or place
    text = f"{type(error).__name__}: {text_of(error)}".rstrip(": ")
    if isinstance(error, SyntaxError):
        fix = f"{correction(error)}{advice(error, folder)}"
        return ImportFailed(f"SyntaxError: {error.msg}", where=where, fix=fix)
    if isinstance(error, ModuleNotFoundError) and error.name:
        if error.name == place or place.startswith(f"{error.name}."):
            fix = "Give a file (cpu.py) or a module that Python finds from this folder."
            return ImportFailed(f"there is no module {error.name}", where=place, fix=fix)
        fix = f"Install it, for example: pip install {requirement_of(error.name)}."
        return ImportFailed(f"there is no module {error.name}", where=where, fix=fix)
    if isinstance(error, SystemExit):
        fix = 'Put what runs the program under if __name__ == "__main__":.'
        return ImportFailed("the file ends the program while it is imported", where=where, fix=fix)
    fix = f"Correct the line; the whole traceback is below.{advice(error, folder)}"
    return ImportFailed(text, where=where, fix=fix)


def _own_line(error: BaseException, folder: Path) -> str:
    """``file:line`` of the innermost line that lies in the user's folder."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{_short(error.filename)}:{error.lineno}"
    found = ""
    traceback = error.__traceback__
    while traceback is not None:
        file = traceback.tb_frame.f_code.co_filename
        if file.startswith(str(folder)) and "site-packages" not in file:
            found = f"{_short(file)}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    return found


def _short(file: str) -> str:
    """The path as the user sees it: relative to the working folder when it lies below."""
    here = f"{os.getcwd()}{os.sep}"
    return file.removeprefix(here)
