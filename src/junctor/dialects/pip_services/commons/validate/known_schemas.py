"""Schemas of the parameters of queries."""

from __future__ import annotations

from junctor.dialects.pip_services.commons.convert import TypeCode
from junctor.dialects.pip_services.commons.validate.array_schema import ArraySchema, MapSchema
from junctor.dialects.pip_services.commons.validate.object_schema import ObjectSchema


class FilterParamsSchema(MapSchema):
    """Names of fields and any values."""

    def __init__(self) -> None:
        super().__init__(TypeCode.String, None)


class PagingParamsSchema(ObjectSchema):
    """``skip``, ``take`` and ``total``."""

    def __init__(self) -> None:
        super().__init__()
        self.with_optional_property("skip", TypeCode.Long)
        self.with_optional_property("take", TypeCode.Long)
        self.with_optional_property("total", TypeCode.Boolean)


class ProjectionParamsSchema(ArraySchema):
    """Names of fields."""

    def __init__(self) -> None:
        super().__init__(TypeCode.String)
