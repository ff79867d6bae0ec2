"""Typed settings of a service: declared with :func:`setting`, read from text or values, bounded, secret where needed.

A setting is explicit. ``limit: float = setting(80.0)`` is one, ``limit: float = 80.0`` stays an ordinary attribute.
"""

from junctor.settings.conversion import convert, kind_name
from junctor.settings.declaration import Bounds, Setting, bounded, setting
from junctor.settings.reading import read_settings
from junctor.settings.values import MISSING, Duration, Hidden, Secret, SecretTable, concealed
from junctor.settings.written import Leaf, Series, Table

__all__ = (
    "MISSING",
    "Bounds",
    "Duration",
    "Hidden",
    "Leaf",
    "Secret",
    "SecretTable",
    "Series",
    "Setting",
    "Table",
    "bounded",
    "concealed",
    "convert",
    "kind_name",
    "read_settings",
    "setting",
)
