"""A document of OpenAPI about the commands of a service."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

from junctor.dialects.pip_services.commons.commands import ICommand
from junctor.dialects.pip_services.commons.config import ConfigParams
from junctor.dialects.pip_services.commons.convert import TypeCode
from junctor.dialects.pip_services.commons.validate import ArraySchema, MapSchema, ObjectSchema, PropertySchema

_TYPES: dict[Any, dict[str, Any]] = {
    TypeCode.String: {"type": "string"},
    TypeCode.Boolean: {"type": "boolean"},
    TypeCode.Integer: {"type": "integer", "format": "int32"},
    TypeCode.Long: {"type": "integer", "format": "int64"},
    TypeCode.Float: {"type": "number", "format": "float"},
    TypeCode.Double: {"type": "number", "format": "double"},
    TypeCode.DateTime: {"type": "string", "format": "date-time"},
    TypeCode.Array: {"type": "array", "items": {"type": "object"}},
}


class CommandableSwaggerDocument:
    """OpenAPI 3.0.2, one operation for each command.

    :param base_route: of the service.
    :param config: ``name`` and ``description`` for the title.
    """

    def __init__(self, base_route: str, config: ConfigParams | None, commands: Sequence[ICommand]) -> None:
        config = config or ConfigParams()
        self._base_route = base_route.strip("/")
        self._title = config.get_as_string_with_default("name", "CommandableHttp")
        self._description = config.get_as_string_with_default("description", "Commandable microservice")
        self._commands = commands

    def to_string(self) -> str:
        """The document as YAML."""
        document = {
            "openapi": "3.0.2",
            "info": {"title": self._title, "version": "1", "description": self._description},
            "paths": {self._path(command): {"post": self._operation(command)} for command in self._commands},
        }
        return yaml.safe_dump(document, sort_keys=False, allow_unicode=True)

    def _path(self, command: ICommand) -> str:
        return "/" + "/".join(part for part in (self._base_route, command.get_name()) if part)

    def _operation(self, command: ICommand) -> dict[str, Any]:
        made: dict[str, Any] = {"tags": [self._base_route or "commands"], "operationId": command.get_name()}
        schema = command.get_schema() if hasattr(command, "get_schema") else None
        if isinstance(schema, ObjectSchema) and schema.get_properties():
            made["requestBody"] = {"content": {"application/json": {"schema": schema_of(schema)}}}
        content = {"application/json": {"schema": {"type": "object"}}}
        made["responses"] = {"200": {"description": "Successful response", "content": content}}
        return made


def schema_of(typ: Any) -> dict[str, Any]:
    """What OpenAPI says of a type: a TypeCode, a schema, or else an object."""
    if isinstance(typ, ArraySchema):
        return {"type": "array", "items": schema_of(typ.get_value_type())}
    if isinstance(typ, MapSchema):
        return {"type": "object", "additionalProperties": schema_of(typ.get_value_type())}
    if isinstance(typ, ObjectSchema):
        return _object(typ.get_properties())
    return dict(_TYPES.get(typ, {"type": "object"}))


def _object(properties: list[PropertySchema]) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "object"}
    if properties:
        made["properties"] = {one.get_name() or "": schema_of(one.get_type()) for one in properties}
    required = [one.get_name() or "" for one in properties if one.is_required()]
    if required:
        made["required"] = required
    return made
