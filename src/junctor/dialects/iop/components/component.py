"""What all components have in common: hooks, logging, and what tools ask a class."""

from __future__ import annotations

import logging
import warnings
from typing import Any, ClassVar

from junctor.dialects.iop.components.door import Door, OutsideNode
from junctor.dialects.iop.components.info import info_of
from junctor.dialects.iop.components.logging import say
from junctor.dialects.iop.settings import generated_settings
from junctor.services.hints import remember_locals


class Component:
    """Base of hosts and adapters. As in InterSystems IRIS, ``__init__`` is never called: ``on_init`` is what prepares
    a component."""

    INFO_URL: ClassVar[str] = ""
    ICON_URL: ClassVar[str] = ""
    iris_handle: Any = None
    """Kept for programs that look at it; always None, as there is no IRIS."""

    log_to_console: bool = False
    """Whether what is logged goes to standard error of the node, and not to its log."""

    _door: Door = OutsideNode()
    _logger: logging.Logger | logging.LoggerAdapter[logging.Logger] | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        remember_locals(cls)
        if "__init__" in vars(cls):
            warnings.warn(never_called(cls), RuntimeWarning, stacklevel=2)

    # Hooks --------------------------------------------------------------------------------------------------

    def on_connected(self) -> Any:
        """Called before ``on_init``; an error here is only logged."""

    def on_init(self) -> Any:
        """Called when the component becomes active; an error here keeps it from that."""

    def on_tear_down(self) -> Any:
        """Called when the component becomes inactive. ``on_teardown`` is called as well."""

    @staticmethod
    def get_adapter_type() -> str | None:
        """The name of the adapter, for example ``Ens.InboundAdapter``; None without one. It is called on the class, and
        may be written with ``self``, with ``cls`` or without any parameter."""
        return None

    # Logging ------------------------------------------------------------------------------------------------

    @property
    def logger(self) -> logging.Logger | logging.LoggerAdapter[logging.Logger]:
        """A logger of the standard library; its lines join the trace of the message."""
        return self._logger or self._door.log

    @logger.setter
    def logger(self, logger: logging.Logger | logging.LoggerAdapter[logging.Logger]) -> None:
        self._logger = logger

    def trace(self, message: Any, to_console: bool | None = None) -> None:
        """Log for whoever looks for a fault: shown where the item has LogTraceEvents."""
        say(self, "Trace", message, to_console)

    def log_info(self, message: Any, to_console: bool | None = None) -> None:
        """Log what is usual.

        :param to_console: to standard error of the node; None means ``log_to_console``.
        """
        say(self, "Info", message, to_console)

    def log_warning(self, message: Any, to_console: bool | None = None) -> None:
        """Log what may become a fault."""
        say(self, "Warning", message, to_console)

    def log_error(self, message: Any, to_console: bool | None = None) -> None:
        """Log a fault."""
        say(self, "Error", message, to_console)

    def log_alert(self, message: Any, to_console: bool | None = None) -> None:
        """Log what a person has to look at."""
        say(self, "Alert", message, to_console)

    def log_assert(self, message: Any) -> None:
        """Log that an assumption of the code does not hold."""
        say(self, "Assert", message, None)

    # For tools ----------------------------------------------------------------------------------------------

    @classmethod
    def _get_info(cls) -> list[str]:
        """The kind of component, its description, INFO_URL, ICON_URL and, for services and operations, the adapter."""
        return info_of(cls)

    @classmethod
    def _get_properties(cls) -> list[list[Any]]:
        """The settings of the class: name, type in IRIS, default, required, category, description, control."""
        return [one.as_list() for one in generated_settings(cls).values()]


def has_init(cls: Any) -> bool:
    """Whether a component class, or a base of it, has a constructor."""
    return cls.__init__ is not object.__init__


def never_called(cls: type) -> str:
    """The warning for a class with a constructor."""
    return (
        f"{cls.__module__}.{cls.__qualname__} has an __init__, which is never called: components are made without it, "
        "as in InterSystems IRIS. Write it as on_init"
    )
