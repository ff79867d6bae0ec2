"""JSON schemas of messages."""

from __future__ import annotations

from typing import Any

import msgspec

from junctor.dialects.iop.messages.kinds import is_message_class, named
from junctor.dialects.iop.production.reading import Place
from junctor.messages.codec import is_pydantic


def read_schemas(data: Any, place: Place) -> dict[type, dict[str, Any]]:
    """The messages of SCHEMAS, each with its schema.

    :raises ShapeError: it is no list, or holds something that is no message, or has no schema.
    """
    if not isinstance(data, list | tuple):
        raise place.error(f"expected a list, got {type(data).__name__}", "Write SCHEMAS = [MyRequest, MyResponse].")
    return {cls: _schema(cls, place.inside(index)) for index, cls in enumerate(data)}


def _schema(cls: Any, place: Place) -> dict[str, Any]:
    if not is_message_class(cls):
        what = f"{getattr(cls, '__qualname__', repr(cls))} is no message"
        raise place.error(what, "Name a class derived from Message or PydanticMessage.")
    try:
        return json_schema(cls)
    except Exception as error:
        what = f"{cls.__qualname__} has no JSON schema: {error}"
        raise place.error(what, "Annotate its fields with types that JSON has.") from error


def json_schema(cls: type) -> dict[str, Any]:
    """The JSON schema of a message. A field of a type that JSON does not know is without one."""
    if is_pydantic(cls):
        found: dict[str, Any] = named(cls).model_json_schema()
        return found
    return msgspec.json.schema(cls, schema_hook=lambda other: {"title": getattr(other, "__qualname__", str(other))})
