"""Random values, for tests."""

from junctor.dialects.pip_services.commons.random.numbers import RandomDouble, RandomFloat, RandomInteger
from junctor.dialects.pip_services.commons.random.random_date_time import RandomDateTime
from junctor.dialects.pip_services.commons.random.random_text import RandomText
from junctor.dialects.pip_services.commons.random.values import RandomArray, RandomBoolean, RandomString

__all__ = (
    "RandomArray",
    "RandomBoolean",
    "RandomDateTime",
    "RandomDouble",
    "RandomFloat",
    "RandomInteger",
    "RandomString",
    "RandomText",
)
