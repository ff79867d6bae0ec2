"""Conditions of a query: field names and the texts they are compared with."""

from __future__ import annotations

from junctor.dialects.pip_services.commons.data.string_value_map import StringValueMap


class FilterParams(StringValueMap):
    """What the fields mean is the affair of the store that answers the query."""
