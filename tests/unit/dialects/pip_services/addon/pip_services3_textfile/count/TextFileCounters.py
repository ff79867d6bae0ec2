"""Counters that are saved as a text file, for the collector of a monitoring system."""

from pip_services3_commons.config import ConfigParams
from pip_services3_commons.errors.ConfigException import ConfigException
from pip_services3_commons.refer import Descriptor, IReferenceable, IReferences
from pip_services3_commons.run import IOpenable
from pip_services3_components.count import CachedCounters, Counter
from pip_services3_components.count.CounterType import CounterType
from pip_services3_components.info.ContextInfo import ContextInfo
from pip_services3_components.log import CompositeLogger


class TextFileCounters(CachedCounters, IReferenceable, IOpenable):
    def __init__(self):
        super().__init__()
        self._logger = CompositeLogger()
        self.__path: str | None = None
        self.__source: str | None = None
        self.__opened = False

    def configure(self, config: ConfigParams):
        super().configure(config)
        self.__path = config.get_as_nullable_string("path")
        self.__source = config.get_as_string_with_default("source", self.__source)

    def set_references(self, references: IReferences):
        self._logger.set_references(references)
        context = references.get_one_optional(Descriptor("pip-services", "context-info", "default", "*", "1.0"))
        if isinstance(context, ContextInfo) and self.__source is None:
            self.__source = context.name

    def is_open(self) -> bool:
        return self.__opened

    def open(self, correlation_id: str | None):
        if self.__path is None:
            raise ConfigException(correlation_id, "NO_PATH", "The path of the counters is not set")
        self.__opened = True

    def close(self, correlation_id: str | None):
        self.dump()
        self.__opened = False

    def _save(self, counters: list[Counter]):
        lines = []
        for counter in sorted(counters, key=lambda each: each.name):
            value = counter.count if counter.type == CounterType.Increment else counter.last
            lines.append('{}{{source="{}"}} {}\n'.format(counter.name.replace(".", "_"), self.__source, value))
        with open(self.__path, "w") as file:
            file.writelines(lines)
        self._logger.debug("counters", "Saved %d counters", len(counters))
