"""A component that could not be made."""

from __future__ import annotations

from typing import Any

from junctor.dialects.pip_services.commons.errors import InternalException


class CreateException(InternalException):
    """
    :param message_or_locator: the text of the error, or the locator of what was to be made.
    """

    def __init__(self, correlation_id: str | None = None, message_or_locator: Any = None) -> None:
        text = isinstance(message_or_locator, str)
        message = message_or_locator if text else f"Requested component {message_or_locator} cannot be created"
        super().__init__(correlation_id, "CANNOT_CREATE", message)
        if not text and message_or_locator is not None:
            self.with_details("locator", message_or_locator)
