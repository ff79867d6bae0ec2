"""The JSON Schema of flow files, for editors: what may stand where, and what it means.

It says the same as the readers do, and goes by the same types. It is a help while typing; what a flow may be is decided
when it is loaded.
"""

from __future__ import annotations

import datetime
import enum
import inspect
import pathlib
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Union

import msgspec

from junctor.core.alarm import Pace
from junctor.core.policy import HoldPolicy, Policies, PoolPolicy, QueuePolicy, RestartPolicy, RetryPolicy
from junctor.core.signals import When
from junctor.core.spec import ServiceSpec
from junctor.errors import ConfigurationError
from junctor.flows.adapters import adapter, adapter_names
from junctor.flows.destinations import Email, Webhook
from junctor.flows.files.origin import MADE_OF
from junctor.flows.files.written import declared_of
from junctor.flows.model import FlowModel, Item
from junctor.flows.retention import NEVER
from junctor.http.settings import HttpSettings
from junctor.settings import MISSING, Bounds, Secret, Setting, bounded, kind_name
from junctor.settings.conversion import is_duration, is_written_as_text, without_none

DRAFT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]

_REFERENCE = r"\$\{"
_DURATION = r"^\d+(\.\d+)?$|^(\d+(\.\d+)?(ms|s|m|h|d))+$"
_SIZE = r"^[-+]?\d+$|^\d+(\.\d+)?\s*[KMGTkmgt]?i?[Bb]?$"
_CONNECTION: Schema = {"$ref": "#/$defs/connection"}
_NAME = "^[a-z][a-z0-9_-]{0,99}$"

_FLOW = {
    "flow": "The name of the flow: part of every address flow/service. By default from the name of the file.",
    "services": "The services by name.",
    "http": "Where the flow listens, below which path, and who may talk to it.",
    "alerts": "When somebody is told, and how: by webhook, by mail, by a program, by a service.",
    "retention": "How long what is finished stays, and how large the store may become.",
    "include": "Other flow files whose services are part of this flow; paths as seen from this file.",
    "env_file": "Files of NAME=value lines for ${NAME}, under the environment; paths as seen from this file.",
    "secrets_file": "A file of NAME=value lines for ${secret:NAME}, mode 0600; secrets.env by default.",
}
_SERVICE = {
    "class": "module:Class, file.py:Class, or a module with marked functions; looked for in the folder of this file.",
    "adapter": "Instead of class: an adapter, by its name; `junctor adapters NAME` tells its settings.",
    "settings": "Values for the settings of the class or adapter.",
    "connect": "Where targets lead. What is left out connects to the only service that handles its type.",
    "schedules": "Instead of @every and @cron of the class, by method; false for none.",
    "enabled": "false: as if the service were not there.",
    "pool": "How many deliveries run at once.",
    "key": "The field of the body by which messages stay in order.",
    "order": "strict: a message that is tried again holds back those behind it; skip: it does not.",
    "retry": "What happens to a message whose handler failed.",
    "hold": "How a service that waits for the other side probes.",
    "restart": "How often a service that fails is started again.",
    "queue": "How many messages may wait.",
    "durability": "fsync: a send is on disk; written: a power cut may lose the last moments.",
    "trace": "all: everything is kept for traces; failures: what ended well is not; off: only what is still owed.",
    "timeout": "The time of requests to this service that name none; never for no end.",
    "isolate": "worker: it runs in processes of its own.",
    "loop": "own: a thread with an event loop of its own.",
}


def flow_schema(flows: Sequence[FlowModel] = ()) -> Schema:
    """The JSON Schema (draft 2020-12) of a flow file. It knows the settings of all adapters that are installed.

    :param flows: flows whose services are known by name: their settings, targets and schedules are told too.
    :raises ConfigurationError: the class of one cannot be used.
    """
    maker = _Maker()
    services = {item.name: maker.of_item(item) for flow in flows for item in flow.services}
    sections: Schema = {
        "flow": {"type": "string", "anyOf": [{"pattern": _NAME}, {"pattern": _REFERENCE}]},
        "services": {
            "type": "object",
            "properties": services,
            "propertyNames": {"pattern": _NAME},
            "additionalProperties": {"$ref": "#/$defs/service"},
        },
        "http": maker.of(HttpSettings),
        "alerts": {"type": "array", "items": {"$ref": "#/$defs/alert"}},
        "retention": maker.retention(),
        "include": _some("string"),
        "env_file": _some("string"),
        "secrets_file": {"type": "string"},
    }
    named = {"service": maker.service(), "alert": maker.alert(), "connection": _wires()}
    return {
        "$schema": DRAFT,
        "title": "Junctor flow",
        "type": "object",
        "properties": {name: _described(schema, _FLOW[name]) for name, schema in sections.items()},
        "patternProperties": {"^x-": {"description": "Ignored; a place for anchors."}},
        "additionalProperties": False,
        "$defs": {**named, **dict(sorted(maker.definitions.items()))},
    }


class _Maker:
    """Makes schemas of types; ``definitions`` has those that are used by name."""

    def __init__(self) -> None:
        self.definitions: Schema = {}

    def service(self) -> Schema:
        connect: Schema = {"type": "object", "additionalProperties": _CONNECTION}
        service = self._service({"type": "object"}, connect, None)
        return {**service, "allOf": [self._if_adapter(name) for name in adapter_names()]}

    def _if_adapter(self, name: str) -> Schema:
        """What follows for a service that is this adapter."""
        named: Schema = {"properties": {"adapter": {"const": name}}, "required": ["adapter"]}
        return {"if": named, "then": {"properties": {"settings": {"$ref": f"#/$defs/{self._adapter(name)}"}}}}

    def _adapter(self, name: str) -> str:
        """The name of the definition of the settings of an adapter; those of one that cannot be loaded are open."""
        try:
            settings = self._settings(adapter(name))
        except ConfigurationError:
            settings = {"type": "object"}
        self.definitions[f"settings-of-{name}"] = _described(settings, f"The settings of the adapter {name}.")
        return f"settings-of-{name}"

    def _settings(self, source: Any) -> Schema:
        declared = declared_of(source)
        return _table({name: self._setting(setting, kind) for name, (setting, kind) in declared.items()})

    def retention(self) -> Schema:
        ages = {name: {"anyOf": [_number(), {"enum": [NEVER]}]} for name in ("done", "failures", "keys")}
        return _table({**ages, "disk": _whole()})

    def alert(self) -> Schema:
        self._struct(When)
        stopped = self.definitions["when"]["properties"]["stopped"]
        self.definitions["when"]["properties"]["stopped"] = {"anyOf": [_boolean(), stopped]}
        self.of(Pace)
        pace = self.definitions.pop("pace")["properties"]
        send = self._send()
        several: Schema = {"anyOf": [send, {"type": "array", "items": send, "minItems": 1}]}
        name = {"type": "string", "description": "By default from the first condition and its service."}
        parts: Schema = {"name": name, "when": {"$ref": "#/$defs/when", "minProperties": 1}, "send": several, **pace}
        return {**_table(parts), "required": ["when", "send"]}

    def _send(self) -> Schema:
        text: Schema = {"type": "string"}
        ways: Schema = {
            "webhook": {"anyOf": [text, self.of(Webhook)]},
            "email": {"anyOf": [text, self.of(Email)]},
            "command": {"anyOf": [text, {"type": "array", "items": text, "minItems": 1}]},
            "service": text,
        }
        return {**_table(ways), "minProperties": 1}

    def of_item(self, item: Item) -> Schema:
        """A service that is known: its own settings, targets and schedules."""
        spec = item.spec()
        settings = self._settings(item.source)
        connect = _table({target.name: _CONNECTION for target in spec.targets})
        names = [*(schedule.name for schedule in spec.schedules), *item.schedules]
        schedules = _table({name: self._schedule() for name in names})
        if isinstance(item.source, ServiceSpec):
            settings = {"type": "object"}
        return _described(self._service(settings, connect, schedules), spec.doc)

    def _service(self, settings: Schema, connect: Schema, schedules: Schema | None) -> Schema:
        policies = {word: self.of(kind) for word, kind in _policy_kinds().items()}
        words: Schema = {
            "class": {"type": "string", "minLength": 1},
            "adapter": {"anyOf": [{"enum": adapter_names()}, _reference()]},
            "settings": settings,
            "connect": connect,
            "schedules": schedules or {"type": "object", "additionalProperties": self._schedule()},
            "enabled": _boolean(),
            **policies,
            "isolate": {"enum": ["node", "worker"]},
            "loop": {"enum": ["shared", "own"]},
        }
        table = _table({word: _described(schema, _SERVICE[word]) for word, schema in words.items()})
        return {**table, "not": {"required": list(MADE_OF)}}

    def _schedule(self) -> Schema:
        every, text = _number(), {"type": "string"}
        table = _table({"every": every, "initial": every, "cron": text, "zone": text})
        table["oneOf"] = [{"required": ["every"]}, {"required": ["cron"]}]
        return {"anyOf": [every, {"enum": [False, "off", "false"]}, table]}

    def _setting(self, setting: Setting, kind: Any) -> Schema:
        schema = self._bounded(self.of(kind), setting)
        told = [setting.doc.rstrip("."), f"in {setting.unit}" if setting.unit else "", kind_name(kind)]
        schema = _described(schema, ", ".join(part for part in told if part) + ".")
        if setting.default is not MISSING and setting.default is not None and not setting.hidden(kind):
            schema["default"] = msgspec.to_builtins(setting.default, enc_hook=str)
        return schema

    def _bounded(self, schema: Schema, setting: Setting) -> Schema:
        if setting.bounds.choices is not None:
            words = [msgspec.to_builtins(word, enc_hook=str) for word in setting.bounds.choices]
            return {"anyOf": [{"enum": words}, _reference()]}
        return _numbers_within(schema, setting.bounds)

    # Types --------------------------------------------------------------------------------------------------

    def of(self, kind: Any) -> Schema:
        """What may be written for a type."""
        optional, kind = without_none(kind)
        kind, bounds = bounded(kind)
        schema = self._of(kind)
        if bounds is not None:
            schema = _within(schema, bounds)
        return {"anyOf": [schema, {"type": "null"}]} if optional else schema

    def _of(self, kind: Any) -> Schema:
        origin, parts = typing.get_origin(kind) or kind, typing.get_args(kind)
        if is_duration(kind) or kind is datetime.timedelta:
            return _number()
        if kind in (bool, int, float):
            return _boolean() if kind is bool else _whole() if kind is int else _number()
        if origin is Literal:
            return {"anyOf": [{"enum": list(parts)}, _reference()]}
        if origin in (Union, types.UnionType):
            return {"anyOf": [self.of(part) for part in parts]}
        if kind in (Any, object) or not isinstance(origin, type):
            return {}
        if issubclass(origin, enum.Enum):
            words = [member.value for member in origin] + list(origin.__members__)
            return {"anyOf": [{"enum": list(dict.fromkeys(words))}, _reference()]}
        if issubclass(origin, str | Secret | pathlib.PurePath):
            return {"type": "string"}
        if is_written_as_text(origin):
            return {"type": ["string", "number", "boolean", "null"]}
        if issubclass(origin, Mapping):
            inner = self.of(parts[1]) if len(parts) == 2 else {}
            return {"anyOf": [{"type": "object", "additionalProperties": inner}, {"type": "string"}]}
        if issubclass(origin, list | tuple | set | frozenset):
            inner = self.of(parts[0]) if parts and (len(parts) == 1 or parts[-1] is Ellipsis) else {}
            return {"anyOf": [{"type": "array", "items": inner}, {"type": "string"}]}
        return self._struct(origin)

    def _struct(self, kind: type) -> Schema:
        """A class with fields, by its name."""
        if not issubclass(kind, msgspec.Struct):
            return {"type": ["object", "string"], "description": f"{kind.__name__}, as a mapping or as JSON."}
        name = kind.__name__.removesuffix("Policy").removesuffix("Settings").lower()
        if name not in self.definitions:
            self.definitions[name] = {}  # named before it is made: it may contain itself
            hints = typing.get_type_hints(kind, include_extras=True)
            fields = msgspec.structs.fields(kind)
            table = _table({field.encode_name: self._field(field, hints[field.name]) for field in fields})
            if required := [field.encode_name for field in fields if field.required]:
                table["required"] = required
            if "factor" in hints:
                table["properties"]["backoff"] = {"enum": ["exponential", "constant"]}
            doc = inspect.cleandoc(kind.__doc__ or "").replace("``", "")
            self.definitions[name] = _described(table, " ".join(doc.split()))
        return {"$ref": f"#/$defs/{name}"}

    def _field(self, field: Any, kind: Any) -> Schema:
        schema = self.of(kind)
        default = field.default
        plain = isinstance(default, bool | int | float | str) and default != ""
        return {**schema, "default": default} if plain else schema


def _policy_kinds() -> dict[str, Any]:
    hints = typing.get_type_hints(Policies)
    return {
        "pool": PoolPolicy | int,
        "key": str | None,
        "order": typing.get_type_hints(PoolPolicy)["order"],
        "retry": RetryPolicy,
        "hold": HoldPolicy,
        "restart": RestartPolicy,
        "queue": QueuePolicy | int,
        "durability": hints["durability"],
        "trace": hints["trace"],
        "timeout": Literal["never"] | float,
    }


def _table(properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _described(schema: Schema, text: str) -> Schema:
    return {"description": text, **schema} if text else schema


def _numbers_within(schema: Schema, bounds: Bounds) -> Schema:
    """The schema with the bounds of numbers; they do not count for text, which is left to the loading."""
    numbers = {
        "minimum": bounds.ge,
        "exclusiveMinimum": bounds.gt,
        "maximum": bounds.le,
        "exclusiveMaximum": bounds.lt,
    }
    return {**schema, **{word: bound for word, bound in numbers.items() if bound is not None}}


def _within(schema: Schema, bounds: Bounds) -> Schema:
    """The same with what text must be like; a reference may be any."""
    schema = _numbers_within(schema, bounds)
    if bounds.min_length is not None:
        schema = {**schema, "minLength": bounds.min_length}
    return schema if bounds.pattern is None else {**schema, "pattern": f"^({bounds.pattern})$|{_REFERENCE}"}


def _some(kind: str) -> Schema:
    return {"anyOf": [{"type": kind}, {"type": "array", "items": {"type": kind}}]}


def _wires() -> Schema:
    to = {"type": "string", "minLength": 1, "description": "The name of a service, or flow/service."}
    when = {"type": "string", "description": "A condition in CEL over body, key and headers: body.value > 80.0"}
    wire = {"anyOf": [to, {**_table({"to": to, "when": when}), "required": ["to"]}]}
    return {"anyOf": [wire, {"type": "array", "items": wire, "minItems": 1}]}


def _reference() -> Schema:
    return {"type": "string", "pattern": _REFERENCE}


def _boolean() -> Schema:
    words = {"enum": ["true", "false", "yes", "no", "on", "off", "1", "0"]}
    return {"anyOf": [{"type": "boolean"}, words, _reference()]}


def _whole() -> Schema:
    return {"type": ["integer", "string"], "pattern": f"{_SIZE}|{_REFERENCE}"}


def _number() -> Schema:
    return {"type": ["number", "string"], "pattern": f"{_DURATION}|{_REFERENCE}"}
