"""Errors of configurations say the line of the file, as people see it: before its template was filled in."""

from __future__ import annotations

import json
from typing import NamedTuple

import yaml

from junctor.dialects.pip_services.commons.errors import FileException
from junctor.dialects.pip_services.components.config.template import MustacheException, Rendered


class _Fault(NamedTuple):
    """What is wrong, and the line of the text that was read; 0: it is not known."""

    what: str
    line: int = 0


def unreadable(correlation_id: str | None, path: str, error: Exception, text: Rendered | None = None) -> FileException:
    """The error of a file that is there and cannot be used. Its ``details`` have ``path`` and, where it is known,
    ``line``.

    :param text: what was parsed, where the error counts its lines.
    """
    fault = _fault(error)
    line = fault.line if text is None or not fault.line else text.line(fault.line)
    what = f"line {line}: {fault.what}" if line else fault.what
    made = FileException(correlation_id, "READ_FAILED", f"Failed reading configuration {path}: {what}")
    made.with_details("path", path).with_cause(error)
    return made.with_details("line", line) if line else made


def _fault(error: Exception) -> _Fault:
    if isinstance(error, MustacheException):
        return _Fault(error.what, error.line)
    if isinstance(error, json.JSONDecodeError):
        return _Fault(f"this is no JSON: {error.msg}", error.lineno)
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        words = ", ".join(filter(None, (error.context, error.problem)))
        return _Fault(f"this is no YAML: {words}", error.problem_mark.line + 1)
    return _Fault(str(error) or type(error).__name__)
