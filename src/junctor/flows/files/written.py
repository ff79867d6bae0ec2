"""A wired flow as the text of a flow file: loading it again gives the same plan."""

from __future__ import annotations

import datetime
import math
import os
import sys
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from junctor.core.policy import Policies
from junctor.core.retention import Retention
from junctor.core.spec import ServiceSpec, Wire
from junctor.errors import ConfigurationError, SeveralProblems
from junctor.flows.adapters import adapter_name
from junctor.flows.alerts import AlertRule
from junctor.flows.code.imports import plain_name
from junctor.flows.dialects import dialect_of
from junctor.flows.files.scalars import scalar
from junctor.flows.model import FlowModel, Item, policies_of
from junctor.flows.retention import written_retention
from junctor.flows.schedules import Schedule
from junctor.flows.wiring import Wiring
from junctor.http.settings import HttpSettings
from junctor.services.declared import declared_settings, module_settings
from junctor.settings import MISSING, Leaf, Secret, Series, Setting, Table

_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")


def flow_yaml(wiring: Wiring, folder: Path | None = None) -> str:
    """The flow as YAML: services with their settings, all connections by name, policies that are not the defaults.

    References to the environment and to secrets are written as they are, never their values. A secret that was given in
    Python gets a reference of its own, ``${secret:ALARM_TOKEN}``, with a comment.

    :param folder: where the file will be; the working folder by default. Classes are named as seen from there.
    :raises ConfigurationError: a service cannot be written: it is no importable class, or was made with arguments.
    """
    writer = _Writer(wiring, (folder or Path.cwd()).resolve())
    content = writer.flow()
    if writer.problems:
        raise SeveralProblems.of(writer.problems, f"flow {wiring.plan.name}")
    remarks = [f"# Give the secret {name}: it is not in this file.\n" for name in writer.secrets]
    return "".join(remarks) + _dumped(content)


def _dumped(content: dict[str, Any]) -> str:
    import yaml

    class Dumper(yaml.SafeDumper):
        """Puts in quotes what any reader could take for something else than text."""

        def ignore_aliases(self, data: Any) -> bool:
            return True

    def text(dumper: Dumper, value: str) -> Any:
        doubtful = scalar(value, "", False).looks != "text" or not value.isprintable()
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style='"' if doubtful else None)

    Dumper.add_representer(str, text)
    dumped: str = yaml.dump(
        content, Dumper=Dumper, sort_keys=False, allow_unicode=True, default_flow_style=None, width=110
    )
    return dumped


class _Writer:
    def __init__(self, wiring: Wiring, folder: Path) -> None:
        self.problems: list[ConfigurationError] = []
        self.secrets: list[str] = []
        self._model: FlowModel = wiring.model.as_file or wiring.model
        self._wiring = wiring
        self._folder = folder

    def flow(self) -> dict[str, Any]:
        content: dict[str, Any] = {"flow": self._wiring.plan.name, "services": {}}
        plans = {plan.spec.name: plan for plan in self._wiring.plan.services}
        for item in self._model.services:
            if item.companion:
                continue
            connect = plans[item.name].connect if item.name in plans else item.connect
            content["services"][item.name] = self._service(item, connect)
        for name, item in self._model.disabled.items():
            section = item.section or self._service(item, item.connect)
            content["services"][name] = {**section, "enabled": False}
        if http := self._http():
            content["http"] = http
        if alerts := self._alerts():
            content["alerts"] = alerts
        if retention := self._retention():
            content["retention"] = retention
        return content

    def _retention(self) -> Any:
        if "retention" in self._model.sections:
            return self._model.sections["retention"]
        return written_retention(self._model.retention or Retention())

    def _alerts(self) -> Any:
        if "alerts" in self._model.sections:
            return self._model.sections["alerts"]
        return [_escaped_all(self._rule(rule)) for rule in self._model.alerts]

    def _rule(self, rule: AlertRule) -> dict[str, Any]:
        send = [_all_of(one) for one in rule.send]
        for one in send:
            if one.get("email", {}).get("password"):
                one["email"]["password"] = f"{_REFERENCE}${{secret:ALERT_PASSWORD}}"
                self.secrets.append("ALERT_PASSWORD")
        return {"name": rule.name, "when": _all_of(rule.when), "send": send, **_all_of(rule.pace)}

    def _service(self, item: Item, connect: Mapping[str, tuple[Wire, ...]]) -> dict[str, Any]:
        written: dict[str, Any] = {}
        try:
            written |= made_of(item, self._folder)
            if settings := self._settings(item):
                written["settings"] = settings
        except ConfigurationError as error:
            self.problems.append(error)
        if wires := {target: self._to(several) for target, several in connect.items() if several}:
            written["connect"] = wires
        written.update(_policies(item.policies, policies_of(item.source)))
        if item.schedules:
            written["schedules"] = {name: _schedule(schedule) for name, schedule in item.schedules.items()}
        if item.isolate != "node":
            written["isolate"] = item.isolate
        if item.loop != "shared":
            written["loop"] = item.loop
        return written

    def _to(self, wires: tuple[Wire, ...]) -> Any:
        several = [self._wire(wire) for wire in wires]
        return several[0] if len(several) == 1 else several

    def _wire(self, wire: Wire) -> Any:
        to = wire.to.removeprefix(f"{self._wiring.plan.name}/")
        return to if wire.when is None else {"to": to, "when": escaped(wire.when.text)}

    # Settings -----------------------------------------------------------------------------------------------

    def _settings(self, item: Item) -> dict[str, Any]:
        """As they are written in a file; those given in Python as values, where they are not the defaults."""
        known = declared_of(item.source)
        if not known:
            return {}  # without a look at the spec: to make one may cost much
        values = item.spec().settings
        return {
            name: as_written(given) if isinstance(given, Leaf | Table | Series) else self._plain(item, name, value)
            for name, (declared, kind) in known.items()
            for value, given in ((values.get(name), item.settings.get(name)),)
            if name in item.settings or (name in values and not _is_default(declared, kind, value))
        }

    def _plain(self, item: Item, name: str, value: Any) -> Any:
        if isinstance(value, Secret):
            return self._secret(f"{item.name}_{name}")
        found: list[str] = []

        def builtin(part: Any) -> Any:
            if isinstance(part, Secret):
                found.append(self._secret(f"{item.name}_{name}_{len(found) + 1}"))
                return _REFERENCE + found[-1]
            return _builtin(part)

        plain = msgspec.to_builtins(value, enc_hook=builtin, builtin_types=(datetime.timedelta,))
        return _escaped_all(plain)

    def _secret(self, name: str) -> str:
        name = name.upper().replace("-", "_")
        self.secrets.append(name)
        return f"${{secret:{name}}}"

    def _http(self) -> Any:
        if "http" in self._model.sections or self._model.http is None:
            return self._model.sections.get("http")
        given: dict[str, Any] = _escaped_all(_different(self._model.http, HttpSettings()))
        for key in (*given.get("keys", ()), *given.get("admin", {}).get("keys", ())):
            if not key["secret"].startswith("sha256:"):
                key["secret"] = self._secret(f"http_{key['name']}")
        return given


# Classes ------------------------------------------------------------------------------------------------------


def made_of(item: Item, folder: Path) -> dict[str, str]:
    """What a file in ``folder`` says that a service is made of: an adapter by its name, else a class.

    :raises ConfigurationError: nothing can be named.
    """
    text = class_text(item, folder)
    name = adapter_name(item.source if isinstance(item.source, type) else type(item.source))
    return {"adapter": name} if name else {"class": text}


def class_text(item: Item, folder: Path) -> str:
    """How a file in ``folder`` names the class: ``module:Class``, or ``path/file.py:Class``.

    :raises ConfigurationError: nothing can be named.
    """
    source = item.source
    if isinstance(source, ServiceSpec):
        if not source.code:
            raise ConfigurationError(
                "a spec that was made in Python cannot be written", where=item.name, fix="Add a class in its place."
            )
        return source.code
    if isinstance(source, types.ModuleType):
        return _module_text(source.__name__, folder) or source.__name__
    dialect = dialect_of(source)
    own = source if isinstance(source, type) else type(source)
    cls = own if dialect is None else dialect.component(source)
    if cls is None:
        raise ConfigurationError("it has no class that could be named", where=item.name, fix="Correct its class first.")
    if dialect is None and not isinstance(source, type) and _made_with_arguments(source):
        raise ConfigurationError(
            f"{cls.__name__}(...) has a constructor of its own, and a file cannot hold its arguments",
            where=item.name,
            fix="Make its arguments settings.",
        )
    if "<locals>" in cls.__qualname__:
        raise ConfigurationError(
            f"the class {cls.__name__} is defined in a function",
            where=item.name,
            fix="Define it in a module, so that it can be imported.",
        )
    return f"{_module_text(cls.__module__, folder)}:{cls.__qualname__}"


def _made_with_arguments(service: Any) -> bool:
    held = service.__junctor__
    return bool(held.args or held.kwargs) and not hasattr(type(service), "__signature__")


def _module_text(name: str, folder: Path) -> str:
    """The module by its name where it is found by it from ``folder``, else by its file."""
    file = getattr(sys.modules.get(name), "__file__", None)
    if not file or any(part in file for part in _INSTALLED):
        return name
    path, name = Path(file).resolve(), plain_name(name, folder)
    below = folder / Path(*name.split("."))
    if path in (below.with_suffix(".py"), below / "__init__.py"):
        return name
    return name if "." in name and not name.startswith("junctor_") else os.path.relpath(path, folder)


# Values -------------------------------------------------------------------------------------------------------


def escaped(text: str) -> str:
    """A text that means itself where ``${NAME}`` is a reference."""
    return text.replace("$$", "$$$$").replace("${", "$${")


_REFERENCE = "\0reference\0"
"""Marks a reference among plain values, which is not escaped."""


def _escaped_all(value: Any) -> Any:
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    if isinstance(value, str) and value.startswith(_REFERENCE):
        return value.removeprefix(_REFERENCE)
    if isinstance(value, str):
        return escaped(value)
    if isinstance(value, dict):
        return {str(key): _escaped_all(part) for key, part in value.items()}
    return [_escaped_all(part) for part in value] if isinstance(value, list | tuple) else value


def as_written(node: Any) -> Any:
    """A node of a file as plain values, with its references instead of what they stand for."""
    if isinstance(node, Table):
        return {key: as_written(part) for key, part in node.entries.items()}
    if isinstance(node, Series):
        return [as_written(part) for part in node.items]
    if node.style == "given" or isinstance(node.value, Secret) or isinstance(node.value, str):
        return node.written
    return node.value


def _builtin(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    return str(value)


def declared_of(source: Any) -> dict[str, tuple[Setting, Any]]:
    """The settings of a class, object or module with their types; none of a spec, whose values are set."""
    if isinstance(source, ServiceSpec):
        return {}
    if (dialect := dialect_of(source)) is not None:
        return dict(dialect.settings(source))
    if isinstance(source, types.ModuleType):
        known: dict[str, tuple[Setting, Any]] | None = vars(source).get("__junctor_settings__")
        return known or {name: (declared, kind) for name, declared, kind in module_settings(source)}
    return declared_settings(source if isinstance(source, type) else type(source))


def _is_default(declared: Setting, kind: Any, value: Any) -> bool:
    if declared.default is MISSING:
        return False
    default = None if declared.default is None else declared.read(declared.default, kind, declared.name)
    if isinstance(value, Secret) and isinstance(default, str):
        value = value.reveal()
    return bool(value == default)


# Policies -----------------------------------------------------------------------------------------------------


def _policies(policies: Policies, usual: Policies) -> dict[str, Any]:
    """In the words of a file: ``pool: 4`` for its size alone, what is as usual left out."""
    written: dict[str, Any] = _different(policies, usual)
    pool = written.pop("pool", {})
    own = {word: pool.pop(word) for word in ("key", "order") if word in pool}
    first: dict[str, Any] = {}
    if pool:
        first["pool"] = policies.pool.size if set(pool) == {"size"} else pool
    if "key" in own:
        own["key"] = escaped(own["key"])
    if set(written.get("queue", {})) == {"limit"}:
        written["queue"] = policies.queue.limit
    if policies.timeout == math.inf:
        written["timeout"] = "never"
    return {**first, **own, **written}


def _different(value: Any, default: Any) -> dict[str, Any]:
    """The fields of a Struct that are not as in the other one, as plain values."""
    found: dict[str, Any] = {}
    for field in msgspec.structs.fields(value):
        mine, other = getattr(value, field.name), getattr(default, field.name)
        if mine == other:
            continue
        whole = not isinstance(mine, msgspec.Struct) or not isinstance(other, msgspec.Struct)
        found[field.encode_name] = _all_of(mine) if whole else _different(mine, other)
    return found


def _all_of(value: Any) -> Any:
    """Plain values; of an object those fields that have no default, or another value."""
    if isinstance(value, msgspec.Struct):
        fields = msgspec.structs.fields(value)
        return {
            field.encode_name: _all_of(part)
            for field in fields
            for part in (getattr(value, field.name),)
            if field.required or part != field.default
        }
    if isinstance(value, Mapping):
        return {str(key): _all_of(part) for key, part in value.items()}
    return [_all_of(part) for part in value] if isinstance(value, list | tuple) else value


def _schedule(schedule: Schedule) -> Any:
    if schedule.cron is not None:
        cron = {"cron": escaped(schedule.cron)}
        return cron if schedule.zone is None else {**cron, "zone": schedule.zone}
    if schedule.every is None:
        return False
    return {"every": schedule.every, "initial": schedule.initial} if schedule.initial else schedule.every
