"""What flows know of microServiceBus: how its classes become services, and files of them flows."""

from __future__ import annotations

import types
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from junctor.core.policy import Policies
from junctor.core.spec import ServiceSpec
from junctor.dialects.beside import refuse_beside
from junctor.dialects.microservicebus.companions.known import companions
from junctor.dialects.microservicebus.companions.service import InternalService
from junctor.dialects.microservicebus.hosting.config import PROPERTIES
from junctor.dialects.microservicebus.hosting.spec import policies_of, spec_of
from junctor.dialects.microservicebus.names import name_of_type
from junctor.dialects.microservicebus.services import BaseService, CustomService
from junctor.errors import ConfigurationError
from junctor.flows.dialects import Dialect
from junctor.flows.model import FlowModel, Item
from junctor.services import name_of_module
from junctor.settings import Setting

GENUINE = ("microservicebus-py",)
ALIAS = "junctor-microservicebus"


class MicroServiceBus:
    """The dialect: see :class:`junctor.flows.dialects.Dialect`. A source is a class of it."""

    def default_name(self, source: Any) -> str:
        cls = _class_of(source)
        return cls.NAME if issubclass(cls, InternalService) else name_of_type(cls.__name__)

    def component(self, source: Any) -> type | None:
        return _class_of(source)

    def policies(self, source: Any) -> Policies:
        return policies_of(_class_of(source))

    def settings(self, source: Any) -> Mapping[str, tuple[Setting, Any]]:
        cls = _class_of(source)
        return cls.declared() if issubclass(cls, InternalService) else PROPERTIES

    def spec(
        self, source: Any, name: str, *, settings: Mapping[str, Any], places: Mapping[str, str] | None
    ) -> ServiceSpec:
        refuse_beside(GENUINE, ALIAS)
        return spec_of(_class_of(source), name, settings, places)

    def flow(self, module: types.ModuleType) -> FlowModel | None:
        """A file with services: one of them has the name of the file, as microServiceBus asks for it."""
        found = [value for value in vars(module).values() if _is_service(value) and value.__module__ == module.__name__]
        if not found:
            return None
        check_class(module, found)
        flow = FlowModel(name_of_module(module))
        for cls in found:
            flow.add(cls)
        return flow

    def load(self, text: str) -> FlowModel:
        raise ConfigurationError(f'there is nothing called "{text}"', fix="Name a file: junctor run FILE.py.")

    def companions(self, names: Collection[str]) -> Iterable[Item]:
        """The internal services that are not there under their names."""
        return companions(names)


def check_class(module: types.ModuleType, found: Iterable[type]) -> None:
    """:raises ConfigurationError: no service of the file has its name, ``ReadGPIO`` in ``ReadGPIO.py``."""
    path = getattr(module, "__file__", None) or ""
    stem = Path(path).stem
    names = [cls.__name__ for cls in found]
    if not path or stem in names or len(names) > 1:
        return
    what = f"the class in {Path(path).name} is called {names[0]}: a file has the name of its class"
    fix = f"Call the file {names[0]}.py, or the class {stem}."
    raise ConfigurationError(what, where=path, fix=fix)


def _class_of(source: Any) -> type[BaseService]:
    cls: type[BaseService] = source if isinstance(source, type) else type(source)
    return cls


def _is_service(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, BaseService) and value not in (BaseService, CustomService)


DIALECT: Dialect = MicroServiceBus()
