"""Types as JSON Schema, all of one document together, so that two classes of one name get names of their own."""

from __future__ import annotations

import inspect
import typing
from typing import Any

import msgspec

from junctor.http.requests.annotations import bare
from junctor.messages.codec import is_pydantic, to_plain

_PLACE = "#/components/schemas/{name}"


class Schemas:
    """Schemas for the types of a document. What cannot be described is an empty schema: anything.

    :meth:`of` gives an object that :meth:`fill` completes, when all types are known.
    """

    def __init__(self) -> None:
        self._wanted: list[tuple[Any, dict[str, Any]]] = []
        self._foreign: dict[str, Any] = {}

    def of(self, kind: Any, **more: Any) -> dict[str, Any]:
        """The schema of a type, with further keywords."""
        made: dict[str, Any] = {}
        if kind is not Any:
            self._wanted.append((kind, made))
        made.update(more)
        return made

    def fill(self) -> dict[str, Any]:
        """Complete the schemas; returns those with a name, by name."""
        known = [(kind, made) for kind, made in self._wanted if self._describes(kind)]
        kinds = [kind for kind, _ in known]
        schemas, named = msgspec.json.schema_components(kinds, schema_hook=self._other, ref_template=_PLACE)
        for (kind, made), schema in zip(known, schemas, strict=True):
            more = dict(made)
            made.clear()
            made.update({**schema, **more})
            _name_times(msgspec.inspect.type_info(kind), made, named, set())
        for schema in named.values():
            if "description" in schema:
                schema["description"] = inspect.cleandoc(schema["description"])
        return {**self._foreign, **named}

    def _describes(self, kind: Any) -> bool:
        try:
            msgspec.json.schema_components([kind], schema_hook=self._other, ref_template=_PLACE)
        except Exception:  # noqa: BLE001 - any class may be in there, and a document without it is still one
            return False
        return True

    def _other(self, kind: Any) -> dict[str, Any]:
        if not is_pydantic(kind):
            raise NotImplementedError
        schema: dict[str, Any] = kind.model_json_schema(ref_template="#/components/schemas/{model}")
        self._foreign.update(schema.pop("$defs", {}))
        self._foreign[kind.__name__] = schema
        return {"$ref": f"#/components/schemas/{kind.__name__}"}


def _name_times(info: Any, schema: dict[str, Any], named: dict[str, Any], seen: set[int]) -> None:
    """Say of texts that they are times. Without a time zone they are not quite what the standard calls so, and msgspec
    leaves the word out; yet it is what people and generators of clients understand."""
    inspect_ = msgspec.inspect
    word = {inspect_.DateTimeType: "date-time", inspect_.TimeType: "time"}.get(type(info))
    if word and schema.get("type") == "string":
        schema.setdefault("format", word)
    inner = getattr(info, "type", None) if isinstance(info, inspect_.Metadata) else getattr(info, "item_type", None)
    if inner is not None:
        _name_times(inner, schema if isinstance(info, inspect_.Metadata) else schema.get("items") or {}, named, seen)
    for one in getattr(info, "types", ()):
        for choice in schema.get("anyOf", ()):
            _name_times(one, choice, named, seen)
    whole = named.get(schema.get("$ref", "").rpartition("/")[2], schema)
    cls = getattr(info, "cls", None)
    if id(info) in seen or cls is None or whole.get("title") != cls.__name__:
        return
    seen.add(id(info))
    for field in getattr(info, "fields", ()):
        _name_times(field.type, whole.get("properties", {}).get(field.encode_name, {}), named, seen)


def described(kind: Any) -> str:
    """What ``msgspec.Meta`` says about a parameter."""
    marks = typing.get_args(kind)[1:] if typing.get_origin(kind) is typing.Annotated else ()
    return next((mark.description for mark in marks if isinstance(mark, msgspec.Meta) and mark.description), "")


def present(kind: Any) -> Any:
    """A type without None: a parameter that is left out has no schema, and neither has an empty answer."""
    if typing.get_origin(kind) is typing.Annotated:
        inner, *marks = typing.get_args(kind)
        return typing.Annotated[(present(inner), *marks)]
    return bare(kind) if _has_none(kind) else kind


def _has_none(kind: Any) -> bool:
    return type(None) in typing.get_args(kind)


def is_optional(kind: Any) -> bool:
    """Whether None is one of the values."""
    if typing.get_origin(kind) is typing.Annotated:
        return is_optional(typing.get_args(kind)[0])
    return _has_none(kind)


def plain(value: Any) -> Any:
    """A default as JSON; None when it has no such form."""
    try:
        made = to_plain(value)
        msgspec.json.encode(made)
    except Exception:  # noqa: BLE001 - the default of a function may be any object
        return None
    return made
