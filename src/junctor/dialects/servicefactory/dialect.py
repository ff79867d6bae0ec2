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
        return name_of_class(_class_of(source))

    def component(self, source: Any) -> type | None:
        return _class_of(source)

    def policies(self, source: Any) -> Policies:
        return Policies()

    def settings(self, source: Any) -> Mapping[str, tuple[Setting, Any]]:
        return {}

    def spec(
        self, source: Any, name: str, *, settings: Mapping[str, Any], places: Mapping[str, str] | None
    ) -> ServiceSpec:
        refuse_beside(("servicefactory",), "junctor-servicefactory")
        cls, alone = _class_of(source), isinstance(source, Alone)
        made = None if alone or isinstance(source, type) else source
        return spec_of(cls, name, made=made, alone=alone, settings=settings, places=places)

    def flow(self, module: types.ModuleType) -> FlowModel | None:
        """A file with one service: its actions are open on the port of the class, and not on that of the node."""
        found = [value for value in vars(module).values() if _is_service(value) and value.__module__ == module.__name__]
        if len(found) != 1 or found[0].PORT is None:
            return None
        return FlowModel(name_of_module(module), http=HttpSettings(port=found[0].PORT)).add(Alone(found[0]))

    def load(self, text: str) -> FlowModel:
        raise ConfigurationError(f'there is nothing called "{text}"', fix="Name a file: junctor run FILE.py.")


class Alone:
    """The class of a service that has a node for itself: its actions are on its own port, without its name."""

    __junctor_dialect__ = base.__junctor_dialect__

    def __init__(self, cls: type[base]) -> None:
        self.cls = cls


def _class_of(source: Any) -> type[base]:
    if isinstance(source, Alone):
        return source.cls
    cls: type[base] = source if isinstance(source, type) else type(source)
    return cls


def _is_service(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, base) and value is not base


DIALECT: Dialect = ServiceFactory()
