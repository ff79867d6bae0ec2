"""The key of a body: the field that a service's pool names."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from junctor.core.run import RUN_KEY


def key_reader(name: str | None) -> Callable[[Any], str | None] | None:
    """A reader of the named field as text; None where there is no such field or it is None."""
    if name is None:
        return None
    if name == RUN_KEY:  # what begins a run has no line; what is for one says so
        return lambda body: None
    attribute = operator.attrgetter(name)

    def read(body: Any) -> str | None:
        try:
            value = body[name] if isinstance(body, dict) else attribute(body)
        except (AttributeError, KeyError):
            return None
        return None if value is None else str(value)

    return read
