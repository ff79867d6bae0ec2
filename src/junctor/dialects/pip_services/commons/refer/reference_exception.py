"""A component that is needed is not there."""

from __future__ import annotations

from typing import Any

from junctor.dialects.pip_services.commons.errors.exceptions import InternalException


class ReferenceException(InternalException):
    """Its code is ``REF_ERROR``; ``details.locator`` says what was looked for."""

    def __init__(self, correlation_id: str | None = None, locator: Any = None) -> None:
        super().__init__(correlation_id, "REF_ERROR", f"Cannot locate reference: {locator}")
        self.with_details("locator", str(locator))
