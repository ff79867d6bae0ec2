"""Data that is not valid."""

from __future__ import annotations

import json
from collections.abc import Iterable

from junctor.dialects.pip_services.commons.errors.exceptions import BadRequestException
from junctor.dialects.pip_services.commons.validate.validation_result import ValidationResult, ValidationResultType


class ValidationException(BadRequestException):
    """Its code is ``INVALID_DATA``; ``details.results`` lists the faults as JSON."""

    def __init__(
        self,
        correlation_id: str | None,
        message: str | None = None,
        results: Iterable[ValidationResult] | None = None,
    ) -> None:
        found = list(results or ())
        super().__init__(correlation_id, "INVALID_DATA", message or ValidationException.compose_message(found))
        if found:
            self.with_details("results", json.dumps([result.to_json() for result in found]))

    @staticmethod
    def compose_message(results: Iterable[ValidationResult]) -> str:
        """``Validation failed: a must not be null, b ...``"""
        faults = [r.get_message() or "" for r in results if r.get_type() is not ValidationResultType.Information]
        return ": ".join(part for part in ("Validation failed", ", ".join(faults)) if part)

    @staticmethod
    def from_results(
        correlation_id: str | None, results: Iterable[ValidationResult], strict: bool
    ) -> ValidationException | None:
        """The error for these faults; None where there is no error and, if strict, no warning among them."""
        kinds = (ValidationResultType.Error, ValidationResultType.Warning)[: 2 if strict else 1]
        found = list(results)
        wrong = any(result.get_type() in kinds for result in found)
        return ValidationException(correlation_id, None, found) if wrong else None

    @staticmethod
    def throw_exception_if_needed(
        correlation_id: str | None, results: Iterable[ValidationResult], strict: bool
    ) -> None:
        """
        :raises ValidationException: see :meth:`from_results`.
        """
        error = ValidationException.from_results(correlation_id, results, strict)
        if error is not None:
            raise error
