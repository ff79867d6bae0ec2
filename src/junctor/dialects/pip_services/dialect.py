"""What flows know of Pip.Services: how a container becomes a service, and a file with one a flow."""

from __future__ import annotations

import inspect
import types
from collections.abc import Mapping
from typing import Any

from junctor.core.policy import Policies
from junctor.core.spec import ServiceSpec
from junctor.dialects.pip_services.alias import refuse_genuine
from junctor.dialects.pip_services.container import Container, ProcessContainer
from junctor.dialects.pip_services.hosting.flow import flow_of, problem_of
from junctor.dialects.pip_services.hosting.hosted import Hosted
from junctor.dialects.pip_services.hosting.spec import whole_spec
from junctor.errors import ConfigurationError
from junctor.flows.model import FlowModel
from junctor.services import name_of_class
from junctor.settings import Setting

_OURS = f"{__name__.rpartition('.')[0]}."


class PipServices:
    """The dialect: see :class:`junctor.flows.dialects.Dialect`. A source is the class of a process container."""

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
        """A container as one service of a flow: its controllers are called by the names of their methods, and its
        routes are on the listener of the flow."""
        for setting in settings:
            fix = "Write it in the configuration file of the container."
            raise ConfigurationError("a container has no settings", where=f"{name}.{setting}", fix=fix)
        hosted = _hosted(source)
        try:
            hosted.compose()
        except Exception as error:
            raise problem_of(error, type(hosted.container)) from error
        return whole_spec(hosted, name)

    def flow(self, module: types.ModuleType) -> FlowModel | None:
        """A file with one container: its components are the services."""
        cls = _container_in(module)
        if cls is None:
            return None
        hosted = _hosted(cls, tells_notes=False)
        try:
            flow = flow_of(hosted)
        except Exception as error:
            raise problem_of(error, cls) from error
        flow.notes = tuple(hosted.container._notes)
        flow.as_file = FlowModel(flow.name, http=flow.http).add(cls, flow.name)
        return flow

    def load(self, text: str) -> FlowModel:
        raise ConfigurationError(f'there is nothing called "{text}"', fix="Name a file: junctor run FILE.py.")


def _hosted(source: Any, *, tells_notes: bool = True) -> Hosted:
    """The container with its configuration read.

    :param tells_notes: whether remarks on the configuration go to its log.
    :raises ConfigurationError: it cannot be made, or its configuration cannot be read.
    """
    refuse_genuine()
    cls = _class_of(source)
    try:
        container = source if isinstance(source, Container) else cls()
        container._tells_notes = tells_notes
        if isinstance(container, ProcessContainer):
            container.read_config()
    except Exception as error:
        raise problem_of(error, cls) from error
    return Hosted(container)


def _class_of(source: Any) -> type[Container]:
    cls: type[Container] = source if isinstance(source, type) else type(source)
    return cls


def _container_in(module: types.ModuleType) -> type[Container] | None:
    """The container of a file: the one that is defined there, else the one that it imports.

    :raises ConfigurationError: several are defined there.
    """
    found = [value for value in vars(module).values() if _is_process(value)]
    own = [cls for cls in found if cls.__module__ == module.__name__]
    if len(own) > 1:
        names = ", ".join(cls.__name__ for cls in own)
        fix = f"Name one in a file of its own: from {module.__name__} import {own[0].__name__}."
        raise ConfigurationError(f"there are several containers: {names}", where=module.__name__, fix=fix)
    found = own or found
    return found[0] if len(found) == 1 else None


def _is_process(value: Any) -> bool:
    return (
        inspect.isclass(value)
        and issubclass(value, ProcessContainer)
        and not value.__module__.startswith(_OURS)
        and not inspect.isabstract(value)
    )


DIALECT = PipServices()
