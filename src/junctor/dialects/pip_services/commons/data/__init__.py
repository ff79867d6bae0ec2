"""Data: maps with typed access, pages, filters, sorting, identifiers and the marks of stored things."""

from junctor.dialects.pip_services.commons.data.any_value import AnyValue
from junctor.dialects.pip_services.commons.data.any_value_array import AnyValueArray
from junctor.dialects.pip_services.commons.data.any_value_map import AnyValueMap
from junctor.dialects.pip_services.commons.data.data_page import DataPage, TokenizedDataPage
from junctor.dialects.pip_services.commons.data.filter_params import FilterParams
from junctor.dialects.pip_services.commons.data.id_generator import IdGenerator
from junctor.dialects.pip_services.commons.data.interfaces import (
    IChangeable,
    ICloneable,
    IIdentifiable,
    INamed,
    IStringIdentifiable,
    ITrackable,
    IVersioned,
)
from junctor.dialects.pip_services.commons.data.multi_string import MultiString
from junctor.dialects.pip_services.commons.data.paging_params import PagingParams, TokenizedPagingParams
from junctor.dialects.pip_services.commons.data.projection_params import ProjectionParams
from junctor.dialects.pip_services.commons.data.sort_params import SortField, SortParams
from junctor.dialects.pip_services.commons.data.string_value_map import StringValueMap
from junctor.dialects.pip_services.commons.data.tags_processor import TagsProcessor

__all__ = (
    "AnyValue",
    "AnyValueArray",
    "AnyValueMap",
    "DataPage",
    "FilterParams",
    "IChangeable",
    "ICloneable",
    "IIdentifiable",
    "INamed",
    "IStringIdentifiable",
    "ITrackable",
    "IVersioned",
    "IdGenerator",
    "MultiString",
    "PagingParams",
    "ProjectionParams",
    "SortField",
    "SortParams",
    "StringValueMap",
    "TagsProcessor",
    "TokenizedDataPage",
    "TokenizedPagingParams",
)
