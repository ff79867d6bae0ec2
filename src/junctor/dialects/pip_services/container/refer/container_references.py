"""The references of a container."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from junctor.dialects.pip_services.commons.config import IConfigurable
from junctor.dialects.pip_services.commons.config.misspelled import misspelled
from junctor.dialects.pip_services.commons.config.watched_params import WatchedParams
from junctor.dialects.pip_services.commons.refer import ReferenceException, Referencer
from junctor.dialects.pip_services.commons.reflect import TypeDescriptor, TypeReflector
from junctor.dialects.pip_services.components.build import IFactory
from junctor.dialects.pip_services.container.config import ComponentConfig, ContainerConfig
from junctor.dialects.pip_services.container.config.container_config import located
from junctor.dialects.pip_services.container.refer.known import who_makes
from junctor.dialects.pip_services.container.refer.managed_references import ManagedReferences
from junctor.dialects.pip_services.container.refer.naming import named
from junctor.dialects.pip_services.container.selfless import check_methods


class ContainerReferences(ManagedReferences):
    """Filled from a configuration. ``notes`` are remarks on it: keys that are misspelled."""

    def __init__(self, tuples: Iterable[Any] | None = None) -> None:
        super().__init__(tuples)
        self.notes: list[str] = []

    def put_from_config(self, config: ContainerConfig) -> None:
        """Make and configure the components in their order.

        :raises ReferenceException: no factory makes one.
        :raises CreateException: a constructor raised; its own error is the cause.

        Whatever ``configure`` of a component raises comes out of here, too.
        """
        for one in config:
            component = self._made(one)
            self.put(one.locator, component)
            with named(str(one.locator), "configure"):
                if isinstance(component, IConfigurable):
                    self._configure(component, one)
                if isinstance(component, IFactory):
                    Referencer.set_references_for_one(self, component)

    def _configure(self, component: IConfigurable, config: ComponentConfig) -> None:
        watched = WatchedParams(config.config)
        component.configure(watched)
        self.notes += _notes(config, misspelled(config.config, watched.asked))

    def _made(self, config: ComponentConfig) -> Any:
        if isinstance(config.locator, TypeDescriptor):
            component = TypeReflector.create_instance_by_descriptor(config.locator)
            check_methods(type(component))
        else:
            component = self._builder.create(config.locator, self._builder.find_factory(config.locator))
        if component is None:
            error = ReferenceException(None, config.locator)
            error.message += f"; no factory makes it{who_makes(config.locator, self)}"
            raise located(error, config.source)
        return component


def _notes(config: ComponentConfig, found: Mapping[str, str]) -> Iterator[str]:
    for key, meant in found.items():
        place = "" if config.source is None else f"{config.source.place(key)}: "
        yield f'{place}{config.locator} does not know "{key}"; it knows "{meant}"'
