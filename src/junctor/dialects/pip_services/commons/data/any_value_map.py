"""A map of any values."""

from __future__ import annotations

from junctor.dialects.pip_services.commons.data.value_map import ValueMap


class AnyValueMap(ValueMap):
    """Values are kept as they are and converted when they are asked for."""
