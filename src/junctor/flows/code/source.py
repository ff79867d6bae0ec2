"""What a user names on a command line, as a flow: a flow file, a Python file, a module, a class or a flow in one."""

from __future__ import annotations

import inspect
import os
import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from junctor.errors import ConfigurationError, nearest
from junctor.flows.code.imports import attribute_of, import_place, loading
from junctor.flows.code.script import Script, read_script
from junctor.flows.dialects import dialect, dialect_names, mark_of
from junctor.flows.files.changes import change_by_options, change_by_variables, switched_on
from junctor.flows.files.variables import read_env_files
from junctor.flows.model import FlowModel
from junctor.flows.overrides import FlowSource, Overrides
from junctor.services import Service, has_marks, name_of_module
from junctor.services.native import has_entries

NO_OVERRIDES = Overrides()

__all__ = ("flow_name", "flow_of_module", "for_nobody", "load", "loading")


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
    place = _in_folder(text)
    options = [_option(change) for change in overrides.set]
    variables: Mapping[str, str] = read_env_files(overrides.env_files) if overrides.environment else {}
    if is_flow_file(place):
        from junctor.flows.files.file import load_file  # with all that only YAML needs

        loaded = load_file(place, overrides, switched_on(options, variables))
        flow, files, variables = loaded.flow, loaded.files, loaded.variables if overrides.environment else {}
    else:
        flow, files = _load(place, overrides).copied(overrides.name), ()
    change_by_variables(flow, variables)
    change_by_options(flow, options, others=overrides.beside)
    flow.source = FlowSource(text=text, overrides=overrides, folder=Path.cwd(), files=files)
    return flow


def for_nobody(flows: Sequence[FlowModel], overrides: Overrides) -> Iterator[ConfigurationError]:
    """What is said over several flows and meant for none of them."""
    known = [item.name for flow in flows for item in flow.items]
    known += [f"{flow.name}/{item.name}" for flow in flows for item in flow.items]
    for change in overrides.set:
        name = change.partition("=")[0].partition(".")[0]
        if name not in known:
            fix = nearest(name, known).strip()
            yield ConfigurationError(f'no flow has a service "{name}"', where=f"--set {change}", fix=fix)
    read = {file for flow in flows if flow.source is not None for file in flow.source.files}
    for overlay in overrides.overlays if all(flow.source is not None for flow in flows) else ():
        if Path(os.path.abspath(overlay)) not in read:
            names = ", ".join(flow.name for flow in flows)
            yield ConfigurationError(
                "the overlay is for none of the flows", where=overlay, fix=f"Its flow: names one of: {names}."
            )


def is_flow_file(text: str) -> bool:
    """Whether a text on a command line names a flow file."""
    return text.lower().endswith((".yaml", ".yml"))


def _option(change: str) -> tuple[str, str]:
    setting, sign, value = change.partition("=")
    if not sign:
        raise ConfigurationError(f'"{change}" has no value', where="--set", fix="Write service.setting=value.")
    return setting, value


def _load(text: str, overrides: Overrides) -> FlowModel:
    place, _, attribute = text.partition(":")
    if is_flow_file(place):
        fix = f"Name the file, {place}, and switch services off with --set SERVICE.enabled=false."
        raise ConfigurationError("a flow file is run as a whole", where=text, fix=fix)
    if overrides.overlays and not overrides.beside:
        fix = "Give --set, or write the flow as a file with: junctor graph --yaml."
        raise ConfigurationError("an overlay is for a flow file, and this is Python", where=place, fix=fix)
    if attribute and place.isidentifier() and (named := dialect(place)) is not None:
        return named.load(attribute)
    module = import_place(place)
    if attribute:
        return _flow_of(attribute_of(module, attribute, place), module, place)
    return flow_of_module(module, place)


def _in_folder(text: str) -> str:
    """The file that a folder stands for: flow.yaml, flow.py, main.py, the file of its own name, or its only one."""
    place, colon, attribute = text.partition(":")
    folder = Path(place)
    if attribute and place in dialect_names():  # iop:Demo.Production, also beside a folder called iop
        return text
    if not folder.is_dir() or (folder / "__init__.py").exists():
        return text
    own = folder.resolve().name.replace("-", "_")
    files = () if attribute else ("flow.yaml", "flow.yml")
    for name in (*files, "flow.py", "main.py", f"{own}.py"):
        if (folder / name).is_file():
            return f"{folder / name}{colon}{attribute}"
    found = list(folder.glob("*.py"))
    return f"{found[0]}{colon}{attribute}" if len(found) == 1 else text


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
    composed = _composed(module, {mark_of(value) for value in vars(module).values()} - {""})
    if composed is not None:
        return composed
    flow = FlowModel(flow_name(module))
    for name, service in _services(module):
        flow.add(service, name)
    if not flow.services:
        composed = _composed(module, dialect_names())  # a file of names and texts shows no class of one
        if composed is not None:
            return composed
        raise ConfigurationError(
            "there is no service in it",
            where=place,
            fix="Write a class derived from Service with @handler, @every, @action, a route or loop().",
        )
    return flow


def _composed(module: types.ModuleType, names: Iterable[str]) -> FlowModel | None:
    """The flow that a module composes in the words of one of these dialects."""
    for name in sorted(names):
        known = dialect(name)
        flow = known.flow(module) if known is not None else None
        if flow is not None:
            return flow
    return None


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
        own = inspect.isclass(value) and value.__module__ == module.__name__ and not inspect.isabstract(value)
        if not own or id(value) in classes or name.startswith("_"):
            continue
        if mark_of(value) or (issubclass(value, Service) and has_entries(value)):
            yield None, value
    if has_marks(module):
        yield None, module


def _flow_of(value: Any, module: types.ModuleType, place: str) -> FlowModel:
    if isinstance(value, FlowModel):
        return value
    return FlowModel(flow_name(module)).add(value)
