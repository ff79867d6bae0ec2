"""Conversion of values: what cannot be read as the wanted type is None, or the default that was given."""

from junctor.dialects.pip_services.commons.convert.array_converter import ArrayConverter
from junctor.dialects.pip_services.commons.convert.boolean_converter import BooleanConverter
from junctor.dialects.pip_services.commons.convert.date_time_converter import UTC, DateTimeConverter
from junctor.dialects.pip_services.commons.convert.json_converter import JsonConverter
from junctor.dialects.pip_services.commons.convert.map_converter import MapConverter, RecursiveMapConverter
from junctor.dialects.pip_services.commons.convert.numbers import (
    DoubleConverter,
    FloatConverter,
    IntegerConverter,
    LongConverter,
)
from junctor.dialects.pip_services.commons.convert.string_converter import StringConverter
from junctor.dialects.pip_services.commons.convert.type_code import TypeCode
from junctor.dialects.pip_services.commons.convert.type_converter import TypeConverter

__all__ = (
    "UTC",
    "ArrayConverter",
    "BooleanConverter",
    "DateTimeConverter",
    "DoubleConverter",
    "FloatConverter",
    "IntegerConverter",
    "JsonConverter",
    "LongConverter",
    "MapConverter",
    "RecursiveMapConverter",
    "StringConverter",
    "TypeCode",
    "TypeConverter",
)
