"""What the schema of a route is asked about: the query, the values of the path, and the body."""

from __future__ import annotations

from typing import Any

from junctor.dialects.pip_services.commons.convert import TypeCode
from junctor.dialects.pip_services.commons.validate import ObjectSchema, Schema
from junctor.dialects.pip_services.rpc.services.call import Call

_TRUTHS = {"true": True, "1": True, "false": False, "0": False}


def _whole(text: str) -> Any:
    return int(text)


def _number(text: str) -> Any:
    return float(text)


def _truth(text: str) -> Any:
    return _TRUTHS[text.lower()]


_READERS = {
    TypeCode.Integer: _whole,
    TypeCode.Long: _whole,
    TypeCode.Float: _number,
    TypeCode.Double: _number,
    TypeCode.Boolean: _truth,
}


class Validation:
    """Asks the schema of a route. A query has texts alone: one that says a number counts as one where the schema wants
    numbers."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        properties = schema.get_properties() if isinstance(schema, ObjectSchema) else []
        found = ((one.get_name() or "", _READERS.get(one.get_type())) for one in properties if _is_code(one.get_type()))
        self._readers = {name: reader for name, reader in found if reader is not None}

    def check(self, call: Call) -> None:
        """
        :raises ValidationException: the request has faults; 400.
        """
        given: dict[str, Any] = dict(call.params)
        for name in self._readers.keys() & given.keys():
            try:
                given[name] = self._readers[name](given[name])
            except (ValueError, KeyError):
                continue  # the schema says what is wrong with it
        given.update(call.values)
        data = call.data
        if data is not None:
            given["body"] = data
        self._schema.validate_and_throw_exception(call.correlation_id, given, False)


def _is_code(typ: Any) -> bool:
    return isinstance(typ, TypeCode)
