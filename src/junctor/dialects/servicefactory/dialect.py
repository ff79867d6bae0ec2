"""What flows know of Service Factory: how its classes become services, and files of them flows."""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Any

from junctor.core.policy import Policies
from junctor.core.spec import ServiceSpec
from junctor.dialects.beside import refuse_beside
from junctor.dialects.servicefactory.base import base
from junctor.dialects.servicefactory.spec import spec_of
from junctor.errors import ConfigurationError
from junctor.flows.dialects import Dialect
from junctor.flows.model import FlowModel
from junctor.http.settings import HttpSettings
from junctor.services import name_of_class, name_of_module
from junctor.settings import Setting


class ServiceFactory:
    """The dialect: see :class:`junctor.flows.dialects.Dialect`."""

    def default_name(self, source: Any) -> str:
        return name_of_class(source if isinstance(source, type) else type(source))

    def component(self, source: Any) -> type | None:
        cls: type = source if isinstance(source, type) else type(source)
        return cls

    def policies(self, source: Any) -> Policies:
        return Policies()

    def settings(self, source: Any) -> Mapping[str, tuple[Setting, Any]]:
        return {}

    def spec(
        self, source: Any, name: str, *, settings: Mapping[str, Any], places: Mapping[str, str] | None
    ) -> ServiceSpec:
        refuse_beside(("servicefactory",), "junctor-servicefactory")
        if isinstance(source, type):
            return spec_of(source, name, settings=settings, places=places)
        return spec_of(type(source), name, made=source, settings=settings, places=places)

    def flow(self, module: types.ModuleType) -> FlowModel | None:
        """A file with one service: its actions are open on the port of the class, and not on that of the node."""
        found = [value for value in vars(module).values() if _is_service(value) and value.__module__ == module.__name__]
        if len(found) != 1 or found[0].PORT is None:
            return None
        return FlowModel(name_of_module(module), http=HttpSettings(port=found[0].PORT)).add(found[0])

    def load(self, text: str) -> FlowModel:
        raise ConfigurationError(f'there is nothing called "{text}"', fix="Name a file: junctor run FILE.py.")


def _is_service(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, base) and value is not base


DIALECT: Dialect = ServiceFactory()
