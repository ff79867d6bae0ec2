"""One class for each category of error."""

from __future__ import annotations

from junctor.dialects.pip_services.commons.errors.application_exception import ApplicationException
from junctor.dialects.pip_services.commons.errors.error_category import ErrorCategory


class _Categorized(ApplicationException):
    _category = ErrorCategory.Unknown

    def __init__(self, correlation_id: str | None = None, code: str | None = None, message: str | None = None) -> None:
        super().__init__(self._category, correlation_id, code, message)


class UnknownException(_Categorized):
    """An error of which no more is known."""

    _category = ErrorCategory.Unknown


class InternalException(_Categorized):
    """A mistake in the program."""

    _category = ErrorCategory.Internal


class ConfigException(_Categorized):
    """A mistake in the configuration."""

    _category = ErrorCategory.Misconfiguration


class InvalidStateException(_Categorized):
    """A call at a time when it is not allowed: before open, after close, twice."""

    _category = ErrorCategory.InvalidState


class ConnectionException(_Categorized):
    """Another system could not be reached or did not answer."""

    _category = ErrorCategory.NoResponse


class InvocationException(_Categorized):
    """A call of another component failed."""

    _category = ErrorCategory.FailedInvocation


class FileException(_Categorized):
    """A file could not be read or written."""

    _category = ErrorCategory.FileError


class BadRequestException(_Categorized):
    """The caller sent what cannot be understood or is not valid."""

    _category = ErrorCategory.BadRequest
    status = 400


class UnauthorizedException(_Categorized):
    """The caller may not do this."""

    _category = ErrorCategory.Unauthorized
    status = 401


class NotFoundException(_Categorized):
    """There is no such thing."""

    _category = ErrorCategory.NotFound
    status = 404


class ConflictException(_Categorized):
    """It was changed by somebody else, or is there already."""

    _category = ErrorCategory.Conflict
    status = 409


class UnsupportedException(_Categorized):
    """A feature that is not offered."""

    _category = ErrorCategory.Unsupported
