"""From an error to its description and back."""

from __future__ import annotations

from junctor.dialects.pip_services.commons.data.string_value_map import StringValueMap
from junctor.dialects.pip_services.commons.errors import exceptions
from junctor.dialects.pip_services.commons.errors.application_exception import ApplicationException
from junctor.dialects.pip_services.commons.errors.error_category import ErrorCategory
from junctor.dialects.pip_services.commons.errors.error_description import ErrorDescription

_CLASSES: dict[str, type[exceptions._Categorized]] = {
    cls._category: cls
    for cls in (
        exceptions.InternalException,
        exceptions.ConfigException,
        exceptions.InvalidStateException,
        exceptions.ConnectionException,
        exceptions.InvocationException,
        exceptions.FileException,
        exceptions.BadRequestException,
        exceptions.UnauthorizedException,
        exceptions.NotFoundException,
        exceptions.ConflictException,
        exceptions.UnsupportedException,
    )
}


class ErrorDescriptionFactory:
    @staticmethod
    def create(ex: BaseException) -> ErrorDescription:
        """An error of Python is Unknown, with its own text."""
        description = ErrorDescription()
        if not isinstance(ex, ApplicationException):
            description.category, description.code, description.status = ErrorCategory.Unknown, "UNKNOWN", 500
            description.message = str(ex) or type(ex).__name__
            return description
        description.category, description.code, description.status = ex.category, ex.code, ex.status
        description.message, description.details = ex.message, ex.details
        description.correlation_id, description.cause = ex.correlation_id, ex.get_cause_string()
        return description


class ApplicationExceptionFactory:
    @staticmethod
    def create(description: ErrorDescription) -> ApplicationException:
        """The error of the category described; an unknown category becomes UnknownException and keeps its word."""
        cls = _CLASSES.get(description.category or "", exceptions.UnknownException)
        error = cls(description.correlation_id, description.code, description.message)
        error.category = description.category or error.category
        if description.status:
            error.with_status(description.status)
        if description.details:
            error.details = StringValueMap.from_value(description.details)
        error.with_cause(description.cause)
        return error.with_stack_trace(description.stack_trace)
