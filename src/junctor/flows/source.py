"""What a user names on a command line, as a flow: a file, a module, a class or a flow in one of them.

Only here user code is imported, and only because a user named it; nothing in the path of a message ever imports.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import os
import sys
import types
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from junctor.errors import ConfigurationError, ImportFailed, JunctorError, nearest, text_of
from junctor.flows.model import FlowModel
from junctor.flows.modules import note_imports
from junctor.flows.overrides import FlowSource, Overrides
from junctor.flows.script import Script, read_script
from junctor.services import Service, has_marks, name_of_module
from junctor.services.native import has_entries

NO_OVERRIDES = Overrides()

_loading: ContextVar[str] = ContextVar("junctor_loading", default="")


def loading() -> str:
    """The file or module that is being imported right now, empty for none: ``run()`` must not start a node then."""
    return _loading.get()


def load(text: str, overrides: Overrides = NO_OVERRIDES) -> FlowModel:
    """The flow that ``flow.yaml``, ``cpu.py``, ``package.module``, ``cpu.py:Cpu``, ``module:flow`` or a folder stands
    for, with what is said over it. It remembers both as its ``source``.

    What the file itself runs comes first: ``run(Cpu(limit=75))`` below ``if __name__ == "__main__":``. Else a flow of
    the name ``flow``, or the only one, wins. Otherwise the flow has each Service that is made there (``alarm =
    Alarm(limit=75)``, under the name of the variable), each Service class that is defined there and of which none is
    made, and the module itself when it has marked functions. Classes that begin with an underscore, are abstract or
    have nothing to run are left out.

    :raises ImportFailed: there is no such file or module, or its code fails; the user's own line comes first.
    :raises ConfigurationError: nothing in it can run.
    """
    flow = _load(_in_folder(text)).copied(overrides.name)
    flow.source = FlowSource(text=text, overrides=overrides, folder=Path.cwd())
    for change in overrides.set:
        setting, sign, value = change.partition("=")
        if not sign:
            raise ConfigurationError(f'"{change}" has no value', where="--set", fix="Write service.setting=value.")
        flow.change(setting, value)
    return flow


def _load(text: str) -> FlowModel:
    place, _, attribute = text.partition(":")
    module = _import(place)
    if attribute:
        return _flow_of(_attribute(module, attribute, place), module, place)
    return flow_of_module(module, place)


def _in_folder(text: str) -> str:
    """The file that a folder stands for: flow.py, main.py, the file of its own name, or its only one."""
    place, colon, attribute = text.partition(":")
    folder = Path(place)
    if not folder.is_dir() or (folder / "__init__.py").exists():
        return text
    own = folder.resolve().name.replace("-", "_")
    for name in ("flow.py", "main.py", f"{own}.py"):
        if (folder / name).is_file():
            return f"{folder / name}{colon}{attribute}"
    files = list(folder.glob("*.py"))
    return f"{files[0]}{colon}{attribute}" if len(files) == 1 else text


def flow_of_module(module: types.ModuleType, place: str = "") -> FlowModel:
    """The flow of an imported module, by the rules of :func:`load`."""
    script = read_script(module)
    if script is not None:
        return _flow_of_script(script, module)
    flows = {name: value for name, value in vars(module).items() if isinstance(value, FlowModel)}
    if "flow" in flows or len(set(map(id, flows.values()))) == 1:
        return flows.get("flow") or next(iter(flows.values()))
    place = place or module.__name__
    if flows:
        fix = f"Name one: {place}:{next(iter(flows))}."
        raise ConfigurationError(f"there are several flows: {', '.join(flows)}", where=place, fix=fix)
    flow = FlowModel(flow_name(module))
    for name, service in _services(module):
        flow.add(service, name)
    if not flow.services:
        raise ConfigurationError(
            "there is no service in it",
            where=place,
            fix="Write a class derived from Service with @handler, @every, @action, a route or loop().",
        )
    return flow


def _flow_of_script(script: Script, module: types.ModuleType) -> FlowModel:
    if len(script.services) == 1 and isinstance(script.services[0], FlowModel):
        return script.services[0]
    flow = FlowModel(script.name or flow_name(module))
    for service in script.services:
        flow.add(service)
    return flow


def flow_name(module: types.ModuleType) -> str:
    """The name of the flow that a module makes when it names none: the stem of its file."""
    return name_of_module(module)


def _services(module: types.ModuleType) -> Iterator[tuple[str | None, Any]]:
    made = {name: value for name, value in vars(module).items() if isinstance(value, Service) and name[0] != "_"}
    classes = {id(type(value)) for value in made.values()}
    for name, value in made.items():
        yield name.lower().replace("_", "-"), value
    for name, value in vars(module).items():
        own = inspect.isclass(value) and issubclass(value, Service) and value.__module__ == module.__name__
        if own and id(value) not in classes and not name.startswith("_") and not inspect.isabstract(value):
            if has_entries(value):
                yield None, value
    if has_marks(module):
        yield None, module


def _flow_of(value: Any, module: types.ModuleType, place: str) -> FlowModel:
    if isinstance(value, FlowModel):
        return value
    return FlowModel(flow_name(module)).add(value)


def _attribute(module: types.ModuleType, path: str, place: str) -> Any:
    value: Any = module
    for part in path.split("."):
        if not hasattr(value, part):
            known = [name for name in vars(value) if not name.startswith("_")] if hasattr(value, "__dict__") else []
            raise ImportFailed(
                f"there is no {part}", where=place, fix=nearest(part, known).strip() or "Correct the name."
            )
        value = getattr(value, part)
    return value


# Import -------------------------------------------------------------------------------------------------------


def _import(place: str) -> types.ModuleType:
    path = Path(place)
    if path.is_dir() and (os.sep in place or not (path / "__init__.py").exists()):
        names = ", ".join(sorted(file.name for file in path.glob("*.py"))[:5])
        raise ImportFailed("this is a folder", where=place, fix=f"Name a file: {names or path / 'cpu.py'}.")
    if place.endswith(".py") or os.sep in place:
        return _import_file(path)
    _first_on_path(Path.cwd())
    return _running(place, Path.cwd(), lambda: importlib.import_module(place))


def _import_file(path: Path) -> types.ModuleType:
    if not path.is_file():
        near = nearest(path.name, [other.name for other in path.parent.glob("*.py")]) if path.parent.is_dir() else ""
        raise ImportFailed("there is no such file", where=str(path), fix=near.strip() or "Check the path.")
    path = path.resolve()
    _first_on_path(path.parent)
    name = path.stem
    known = sys.modules.get(name)
    if known is not None and _same_file(known, path):
        return known
    if known is not None or not name.isidentifier():
        # Something else has this name already, perhaps of the standard library; replacing it would break its users.
        name = f"junctor_file_{name}".replace("-", "_").replace(".", "_")
        known = sys.modules.get(name)
        if known is not None and _same_file(known, path):
            return known
    return _running(str(path), path.parent, lambda: _execute(name, path))


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


def _same_file(module: types.ModuleType, path: Path) -> bool:
    file = getattr(module, "__file__", None)
    return file is not None and Path(file).resolve() == path


def _first_on_path(folder: Path) -> None:
    if not sys.path or sys.path[0] != str(folder):
        sys.path.insert(0, str(folder))


def _running(place: str, folder: Path, run: Any) -> types.ModuleType:
    """Run user code; whatever it raises becomes one error with the user's own line."""
    token = _loading.set(place)
    try:
        module: types.ModuleType = run()
    except JunctorError:
        raise
    except (Exception, SystemExit) as error:
        raise _import_failed(error, place, folder) from error
    finally:
        _loading.reset(token)
    note_imports()
    return module


def _import_failed(error: BaseException, place: str, folder: Path) -> ImportFailed:
    where = _own_line(error, folder) or place
    text = f"{type(error).__name__}: {text_of(error)}".rstrip(": ")
    if isinstance(error, SyntaxError):
        return ImportFailed(f"SyntaxError: {error.msg}", where=where, fix="Correct the line.")
    if isinstance(error, ModuleNotFoundError) and error.name:
        if error.name == place or place.startswith(f"{error.name}."):
            fix = "Give a file (cpu.py) or a module that Python finds from this folder."
            return ImportFailed(f"there is no module {error.name}", where=place, fix=fix)
        fix = f"Install it, for example: pip install {error.name.partition('.')[0]}."
        return ImportFailed(f"there is no module {error.name}", where=where, fix=fix)
    if isinstance(error, SystemExit):
        fix = 'Put what runs the program under if __name__ == "__main__":.'
        return ImportFailed("the file ends the program while it is imported", where=where, fix=fix)
    return ImportFailed(text, where=where, fix="Correct the line; the whole traceback is below.")


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
