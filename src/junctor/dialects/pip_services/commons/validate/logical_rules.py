"""Rules made of rules."""

from __future__ import annotations

from typing import Any

from junctor.dialects.pip_services.commons.validate.interfaces import IValidationRule, error, label
from junctor.dialects.pip_services.commons.validate.schema import Schema
from junctor.dialects.pip_services.commons.validate.validation_result import ValidationResult


class AndRule(IValidationRule):
    """All of these."""

    def __init__(self, *rules: IValidationRule) -> None:
        self._rules = rules

    def validate(self, path: str, schema: Schema, value: Any, results: list[ValidationResult]) -> None:
        for rule in self._rules:
            rule.validate(path, schema, value, results)


class OrRule(IValidationRule):
    """At least one of these; if none is met, the faults of all are told."""

    def __init__(self, *rules: IValidationRule) -> None:
        self._rules = rules

    def validate(self, path: str, schema: Schema, value: Any, results: list[ValidationResult]) -> None:
        faults: list[ValidationResult] = []
        for rule in self._rules:
            before = len(faults)
            rule.validate(path, schema, value, faults)
            if len(faults) == before:
                return
        results.extend(faults)


class NotRule(IValidationRule):
    """Not this one."""

    def __init__(self, rule: IValidationRule) -> None:
        self._rule = rule

    def validate(self, path: str, schema: Schema, value: Any, results: list[ValidationResult]) -> None:
        faults: list[ValidationResult] = []
        self._rule.validate(path, schema, value, faults)
        if not faults:
            results.append(error(path, "NOT_FAILED", f"Negative check for {label(path)} failed"))
