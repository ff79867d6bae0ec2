"""What kind of trouble an error is."""

from __future__ import annotations


class ErrorCategory:
    """Words, not numbers: they are written into the JSON of an error."""

    Unknown = "Unknown"
    Internal = "Internal"
    Misconfiguration = "Misconfiguration"
    InvalidState = "InvalidState"
    NoResponse = "NoResponse"
    FailedInvocation = "FailedInvocation"
    FileError = "FileError"
    BadRequest = "BadRequest"
    Unauthorized = "Unauthorized"
    NotFound = "NotFound"
    Conflict = "Conflict"
    Unsupported = "Unsupported"
