"""The lines that a component logs: with the method that said them, in the words of the event log of IRIS."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from junctor.dialects.iop.components.component import Component

LEVELS = {
    "Trace": logging.DEBUG,
    "Info": logging.INFO,
    "Warning": logging.WARNING,
    "Error": logging.ERROR,
    "Assert": logging.ERROR,
    "Alert": logging.CRITICAL,
}
"""The kinds of events and their levels; the kind is in the record as ``event``."""


def say(component: Component, event: str, message: Any, to_console: bool | None, depth: int = 2) -> None:
    """Log a line for the method that called the one that calls this.

    :param depth: how many frames above this one the method is.
    :param event: one of :data:`LEVELS`.
    :param to_console: to standard error of the node, and not to its log.
    """
    caller = sys._getframe(depth).f_code.co_name
    if component.log_to_console if to_console is None else to_console:
        sys.stderr.write(f"{event}: {component._door.item or type(component).__name__}.{caller}: {message}\n")
        return
    extra = {"event": event, "source_class": type(component).__name__, "source_method": caller}
    component.logger.log(LEVELS[event], "%s", message, extra=extra, stacklevel=depth + 1)
