"""Validation: schemas say what data must look like, and every fault is told with its path."""

from junctor.dialects.pip_services.commons.validate.array_schema import ArraySchema, MapSchema
from junctor.dialects.pip_services.commons.validate.comparison import (
    ObjectComparator,
    PropertiesComparisonRule,
    ValueComparisonRule,
)
from junctor.dialects.pip_services.commons.validate.interfaces import IValidationRule
from junctor.dialects.pip_services.commons.validate.known_schemas import (
    FilterParamsSchema,
    PagingParamsSchema,
    ProjectionParamsSchema,
)
from junctor.dialects.pip_services.commons.validate.logical_rules import AndRule, NotRule, OrRule
from junctor.dialects.pip_services.commons.validate.object_schema import ObjectSchema, PropertySchema
from junctor.dialects.pip_services.commons.validate.schema import Schema
from junctor.dialects.pip_services.commons.validate.validation_exception import ValidationException
from junctor.dialects.pip_services.commons.validate.validation_result import ValidationResult, ValidationResultType
from junctor.dialects.pip_services.commons.validate.value_rules import (
    AtLeastOneExistsRule,
    ExcludedRule,
    IncludedRule,
    OnlyOneExistRule,
)

__all__ = (
    "AndRule",
    "ArraySchema",
    "AtLeastOneExistsRule",
    "ExcludedRule",
    "FilterParamsSchema",
    "IValidationRule",
    "IncludedRule",
    "MapSchema",
    "NotRule",
    "ObjectComparator",
    "ObjectSchema",
    "OnlyOneExistRule",
    "OrRule",
    "PagingParamsSchema",
    "ProjectionParamsSchema",
    "PropertiesComparisonRule",
    "PropertySchema",
    "Schema",
    "ValidationException",
    "ValidationResult",
    "ValidationResultType",
    "ValueComparisonRule",
)
