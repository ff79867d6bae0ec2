"""The root of all errors that travel."""

from __future__ import annotations

import traceback
from typing import Any, Self

from junctor.dialects.pip_services.commons.data.string_value_map import StringValueMap
from junctor.dialects.pip_services.commons.errors.error_category import ErrorCategory


class ApplicationException(Exception):
    """An error with a category, a code and a status.

    :param category: one of :class:`ErrorCategory`.
    :param correlation_id: the call in which it happened.
    :param code: a short name of the error, in capitals.
    :param message: what happened, for people.
    """

    status: int = 500

    def __init__(
        self,
        category: str | None = ErrorCategory.Unknown,
        correlation_id: str | None = None,
        code: str | None = "UNKNOWN",
        message: str | None = "Unknown error",
    ) -> None:
        self.message = message if message is not None else "Unknown error"
        super().__init__(self.message)
        self.category = category or ErrorCategory.Unknown
        self.correlation_id = correlation_id
        self.code = code or "UNKNOWN"
        self.name = self.code
        self.details: StringValueMap | None = None
        self.cause: Any = None
        self.stack_trace: str | None = None

    def __str__(self) -> str:
        return str(self.message)

    def with_code(self, code: str | None) -> Self:
        self.code = self.name = code or "UNKNOWN"
        return self

    def with_status(self, status: int) -> Self:
        self.status = status or 500
        return self

    def with_details(self, key: str, value: Any) -> Self:
        """Adds one detail; its value is kept as text."""
        if self.details is None:
            self.details = StringValueMap()
        self.details.put(key, value)
        return self

    def with_cause(self, cause: Any) -> Self:
        """Says what led to it: an exception, or the text of one that happened elsewhere."""
        self.cause = cause
        if isinstance(cause, BaseException) and cause is not self:
            self.__cause__ = cause
        return self

    def with_correlation_id(self, correlation_id: str | None) -> Self:
        self.correlation_id = correlation_id
        return self

    def with_stack_trace(self, stack_trace: str | None) -> Self:
        self.stack_trace = stack_trace
        return self

    def wrap(self, cause: Any) -> ApplicationException:
        """This error with its cause; but an error that can travel already goes on as it is."""
        return cause if isinstance(cause, ApplicationException) else self.with_cause(cause)

    @staticmethod
    def wrap_error(error: ApplicationException, cause: Any) -> ApplicationException:
        return error.wrap(cause)

    def get_cause_string(self) -> str | None:
        return None if self.cause is None else str(self.cause)

    def set_cause_string(self, value: str | None) -> None:
        self.cause = value

    def get_stack_trace_string(self) -> str | None:
        """For logs. It is never part of the JSON: it tells strangers how the server is built."""
        if self.stack_trace is None and self.__traceback__ is not None:
            return "".join(traceback.format_exception(self))
        return self.stack_trace

    def set_stack_trace_string(self, value: str | None) -> None:
        self.stack_trace = value

    def to_json(self) -> dict[str, Any]:
        from junctor.dialects.pip_services.commons.errors.factories import ErrorDescriptionFactory

        return ErrorDescriptionFactory.create(self).to_json()
