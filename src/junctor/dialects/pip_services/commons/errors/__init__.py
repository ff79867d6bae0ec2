"""Errors that travel: each has a category, a code, a status for HTTP and details, and survives the way as JSON."""

from junctor.dialects.pip_services.commons.errors.application_exception import ApplicationException
from junctor.dialects.pip_services.commons.errors.error_category import ErrorCategory
from junctor.dialects.pip_services.commons.errors.error_description import ErrorDescription
from junctor.dialects.pip_services.commons.errors.exceptions import (
    BadRequestException,
    ConfigException,
    ConflictException,
    ConnectionException,
    FileException,
    InternalException,
    InvalidStateException,
    InvocationException,
    NotFoundException,
    UnauthorizedException,
    UnknownException,
    UnsupportedException,
)
from junctor.dialects.pip_services.commons.errors.factories import ApplicationExceptionFactory, ErrorDescriptionFactory

__all__ = (
    "ApplicationException",
    "ApplicationExceptionFactory",
    "BadRequestException",
    "ConfigException",
    "ConflictException",
    "ConnectionException",
    "ErrorCategory",
    "ErrorDescription",
    "ErrorDescriptionFactory",
    "FileException",
    "InternalException",
    "InvalidStateException",
    "InvocationException",
    "NotFoundException",
    "UnauthorizedException",
    "UnknownException",
    "UnsupportedException",
)
