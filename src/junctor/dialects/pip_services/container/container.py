"""What makes components, links them and leads their life."""

from __future__ import annotations

import os
from typing import Any

from junctor.dialects.pip_services.commons.config import ConfigParams, IConfigurable
from junctor.dialects.pip_services.commons.errors import InvalidStateException
from junctor.dialects.pip_services.commons.refer import Descriptor, IReferenceable, IReferences, IUnreferenceable
from junctor.dialects.pip_services.commons.run import IOpenable
from junctor.dialects.pip_services.components.build import IFactory
from junctor.dialects.pip_services.components.info import ContextInfo
from junctor.dialects.pip_services.components.log import CompositeLogger, ILogger, NullLogger
from junctor.dialects.pip_services.container.build import DefaultContainerFactory
from junctor.dialects.pip_services.container.config import ContainerConfig, ContainerConfigReader
from junctor.dialects.pip_services.container.refer import ContainerReferences
from junctor.dialects.pip_services.container.refer.naming import told

CONTEXT_INFO = Descriptor("pip-services", "context-info", "default", "*", "1.0")
FACTORY = Descriptor("pip-services", "factory", "container", "default", "1.0")
_CONTEXT = Descriptor(None, "context-info", None, None, None)
_LOGGERS = Descriptor(None, "logger", None, None, None)


class Container(IConfigurable, IReferenceable, IUnreferenceable, IOpenable):
    """Reads a configuration, makes, configures, links and opens components, and closes them the other way round.

    ``_notes`` are remarks on how its configuration is written; they are in its log as well, unless ``_tells_notes`` is
    off, because somebody else shows them. So it is with what keeps it from opening and ``_tells_failures``.

    :param name: of the context information, and the correlation id of its lines in the log.
    """

    __junctor_dialect__ = "pip-services"

    def __init__(self, name: str | None = None, description: str | None = None) -> None:
        self._config = ContainerConfig()
        self._factories = DefaultContainerFactory()
        self._info = ContextInfo(name, description)
        self._logger: ILogger = NullLogger()
        self._start_logger: ILogger | None = None
        self._references: ContainerReferences | None = None
        self._notes: list[str] = []
        self._tells_notes = self._tells_failures = True

    @property
    def name(self) -> str:
        """What it is called, here or in its configuration."""
        return self._info.name

    @property
    def references(self) -> ContainerReferences | None:
        """Its components, None before they are made and after it is closed."""
        return self._references

    def configure(self, config: ConfigParams) -> None:
        """
        :raises ConfigException: a component has neither a descriptor nor a type.
        """
        self._config = ContainerConfig.from_config(config)

    def read_config_from_file(
        self, correlation_id: str | None, path: str, parameters: ConfigParams | None = None
    ) -> None:
        """
        :raises ConfigException: a component has neither a descriptor nor a type.
        :raises FileException: the file is not there, or cannot be read.
        """
        self._config = ContainerConfigReader.read_from_file(correlation_id, path, parameters)
        self._config.files = (os.path.abspath(path),)
        self._remark(correlation_id, *self._config.notes)

    def _remark(self, correlation_id: str | None, *notes: str) -> None:
        for note in notes:
            if note not in self._notes:
                self._notes.append(note)
            if self._tells_notes:
                self._logger.warn(correlation_id, "%s", note)  # noqa: G010 - theirs

    def add_factory(self, factory: IFactory) -> None:
        self._factories.add(factory)

    def set_references(self, references: IReferences) -> None:
        """Called when all components are made, before they are linked."""

    def unset_references(self) -> None:
        """Called when all components are unlinked."""

    def is_open(self) -> bool:
        return self._references is not None and self._references.is_open()

    def compose(self, correlation_id: str | None) -> ContainerReferences:
        """Make and configure the components, and link and open none of them yet. Nothing happens where they are made.

        :raises ReferenceException: no factory makes one.
        :raises CreateException: a constructor raised; its own error is the cause.
        """
        if self._references is None:
            references = ContainerReferences()
            references.put(CONTEXT_INFO, self._info)
            references.put(FACTORY, self._factories)
            self._init_references(references)
            references.put_from_config(self._config)
            self._remark(correlation_id, *references.notes)
            self._info = references.get_one_optional(_CONTEXT) or self._info
            self._references = references
        return self._references

    def _init_references(self, references: IReferences) -> None:
        """Put further components, before those of the configuration."""

    def open(self, correlation_id: str | None) -> None:
        """Make, configure, link and open the components.

        Whatever a component raises comes out of here, when all that was opened is closed again.

        :raises InvalidStateException: it is open already; its code is ``ALREADY_OPENED``.
        """
        if self.is_open():
            raise InvalidStateException(correlation_id, "ALREADY_OPENED", "Container was already opened")
        try:
            self._logger.trace(correlation_id, "Starting container.")
            references = self.compose(correlation_id)
            self.set_references(references)
            self._use_loggers(references)
            references.open(correlation_id)
            self._logger.info(correlation_id, "Container %s started.", self._info.name)
        except BaseException as error:
            if self._tells_failures:
                self._logger.fatal(correlation_id, None, "Failed to start container: %s", told(error))
            self._forget()
            raise

    def log(self, level: int, message: str) -> None:
        """Write a line to its loggers, with its name as the correlation id.

        :param level: a :class:`LogLevel`.
        """
        self._logger.log(level, self.name, None, message)

    def _use_loggers(self, references: IReferences) -> None:
        """Write to the loggers of the configuration, where it has some."""
        if references.get_optional(_LOGGERS):
            self._start_logger = self._logger
            self._logger = CompositeLogger(references)

    def close(self, correlation_id: str | None) -> None:
        """Close and unlink the components, the last one first. Nothing happens where it is closed.

        :raises Exception: the first error of a component; the others are closed all the same.
        """
        references = self._references
        if references is None:
            return
        try:
            self._logger.trace(correlation_id, "Stopping %s container", self._info.name)
            references.close(correlation_id)
            self.unset_references()
            self._logger.info(correlation_id, "Container %s stopped", self._info.name)
        except Exception as error:
            self._logger.error(correlation_id, None, "Failed to stop container: %s", told(error))
            raise
        finally:
            self._forget()

    def _forget(self) -> None:
        self._references = None
        self._logger, self._start_logger = self._start_logger or self._logger, None


def locators_of(references: ContainerReferences) -> list[tuple[Any, Any]]:
    """Locators and components in their order."""
    return list(zip(references.get_all_locators(), references.get_all(), strict=True))
