"""Stand-in for the parts of Pip.Services that the quick start uses, and the producer: one service a container.

Routes are known only when components are made, configured and linked, which by this system's own rules has no effect
outside; so the producer makes a container once to learn them. Each start makes a new one, in a thread, and opens it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from junctor.core.port import Port
from junctor.core.spec import Activity, Context, HandlerSpec, RouteSpec, ServiceSpec, service_name
from junctor.errors import ConfigurationError
from junctor.messages.codec import to_plain

_sent: ContextVar[list[Any] | None] = ContextVar("pip_services_sent", default=None)


class Descriptor:
    def __init__(self, *parts: str) -> None:
        self.parts = parts

    @classmethod
    def from_string(cls, text: str) -> Descriptor:
        return cls(*text.split(":"))

    def match(self, other: Descriptor) -> bool:
        pairs = zip(self.parts, other.parts, strict=True)
        return all("*" in (mine, theirs) or mine == theirs for mine, theirs in pairs)

    def __str__(self) -> str:
        return ":".join(self.parts)


class ConfigParams(dict[str, Any]):
    def get_as_string_with_default(self, key: str, default: Any) -> Any:
        return str(self[key]) if self.get(key) is not None else default


class Parameters(dict[str, Any]):
    @classmethod
    def from_tuples(cls, *tuples: Any) -> Parameters:
        return cls(zip(tuples[::2], tuples[1::2], strict=True))


class References:
    def __init__(self) -> None:
        self.found: list[tuple[Descriptor, Any]] = []

    def put(self, locator: Descriptor, component: Any) -> None:
        self.found.append((locator, component))

    def get_one_required(self, locator: Descriptor) -> Any:
        for known, component in reversed(self.found):
            if known.match(locator):
                return component
        raise ConfigurationError(f"Cannot locate reference: {locator}")


class DependencyResolver:
    def __init__(self) -> None:
        self._locators: dict[str, Descriptor] = {}
        self._references: References | None = None

    def put(self, name: str, locator: Descriptor) -> None:
        self._locators[name] = locator

    def set_references(self, references: References) -> None:
        self._references = references

    def get_one_required(self, name: str) -> Any:
        return self._references.get_one_required(self._locators[name])


class Factory:
    def __init__(self) -> None:
        self._types: list[tuple[Descriptor, type]] = []

    def register_as_type(self, locator: Descriptor, cls: type) -> None:
        self._types.append((locator, cls))

    def create(self, locator: Descriptor) -> Any:
        return next((cls() for known, cls in self._types if known.match(locator)), None)


class RestService:
    def __init__(self) -> None:
        self._base_route = ""
        self._route: str | None = None
        self._dependency_resolver = DependencyResolver()
        self.routes: list[tuple[str, str, Callable[..., Any]]] = []

    def set_references(self, references: References) -> None:
        self._dependency_resolver.set_references(references)

    def register(self) -> None: ...

    def register_route(self, method: str, route: str | None, handler: Callable[..., Any], schema: Any = None) -> None:
        parts = (self._base_route, route or handler.__name__)
        self.routes.append((method, "/" + "/".join(part.strip("/") for part in parts if part), handler))

    def send_result(self, value: Any) -> Any:
        sent = _sent.get()
        if sent is not None:
            sent.append(value)
        return value


class ServiceClient:
    """An addition: a reference to a service of the flow, of whatever system. Its name is in the descriptor."""

    def __init__(self) -> None:
        self.port: Port | None = None
        self.service = ""

    def configure(self, config: ConfigParams) -> None:
        self.service = service_name(config["service"])

    def call(self, command: str, args: Any) -> Any:
        link = self.port.link_to(self.service, Any, Any, handler=command)
        return to_plain(self.port.request(link, args).result())


class DefaultJunctorFactory(Factory):
    def __init__(self) -> None:
        super().__init__()
        self.register_as_type(Descriptor("junctor", "client", "*", "*", "1.0"), ServiceClient)


class ProcessContainer:
    def __init__(self, name: str, description: str) -> None:
        self.name = name
        self._config_path = "./config/config.yml"
        self._factories: set[Factory] = set()
        self.references = References()

    def link(self) -> None:
        """Make, configure and link the components, in this order, as the file lists them."""
        path = Path(inspect.getfile(type(self))).parent / self._config_path
        for section in yaml.safe_load(path.read_text()):
            locator = Descriptor.from_string(section["descriptor"])
            if locator.parts[0] == "pip-services":
                continue  # loggers, counters, endpoint, heartbeat, status: the node has them
            component = next((made for made in (f.create(locator) for f in self._factories) if made is not None), None)
            if component is None:
                raise ConfigurationError(f"Cannot locate reference: {locator}", where=str(path))
            _do(component, "configure", ConfigParams(section))
            self.references.put(locator, component)
        for component in self.components:
            _do(component, "set_references", self.references)
            _do(component, "register")

    @property
    def components(self) -> list[Any]:
        return [component for _, component in self.references.found]

    @property
    def controller(self) -> Any:
        return self.references.get_one_required(Descriptor("*", "controller", "*", "*", "*"))

    @property
    def routes(self) -> list[tuple[str, str, Callable[..., Any]]]:
        services = [component for component in self.components if isinstance(component, RestService)]
        return [route for service in services for route in service.routes]

    def open(self, port: Port) -> None:
        self.link()
        for component in self.components:
            if isinstance(component, ServiceClient):
                component.port = port
            _do(component, "open", self.name)

    def close(self) -> None:
        for component in reversed(self.components):
            _do(component, "close", self.name)
            _do(component, "unset_references")


def _do(component: Any, name: str, *args: Any) -> None:
    method = getattr(component, name, None)
    if callable(method):
        method(*args)


class _Shell:
    def __init__(self, cls: type[ProcessContainer], port: Port) -> None:
        self.container = cls()
        self.port = port

    def open(self) -> None:
        self.container.open(self.port)

    def close(self) -> None:
        self.container.close()


def spec_of(cls: type[ProcessContainer]) -> ServiceSpec:
    probe = cls()
    probe.link()
    return ServiceSpec(
        name=service_name(probe.name),
        build=partial(_build, cls),
        dialect="pip-services",
        origin=f"{cls.__module__}.{cls.__qualname__}",
        routes=tuple(_routes(probe)),
        handlers=tuple(_commands(probe)),
        start=Activity(bind=lambda shell: shell.open, blocking=True),
        stop=Activity(bind=lambda shell: shell.close, blocking=True),
    )


def _build(cls: type[ProcessContainer], context: Context) -> _Shell:
    return _Shell(cls, context.port)


def _routes(probe: ProcessContainer) -> Iterator[RouteSpec]:
    for index, (method, path, handler) in enumerate(probe.routes):
        yield RouteSpec(
            name=handler.__name__,
            method=method,
            path=path,
            bind=partial(_route, index),
            signature=_optional(handler),
            blocking=True,
        )


def _optional(handler: Callable[..., Any]) -> Callable[..., Any]:
    """A signature with the handler's parameters as text, each of which may be missing from the request."""
    keyword = inspect.Parameter.KEYWORD_ONLY
    names = inspect.signature(handler).parameters

    def signature(**arguments: str) -> None: ...

    given = [inspect.Parameter(name, keyword, default=None, annotation=str | None) for name in names]
    signature.__signature__ = inspect.Signature(given)
    signature.__annotations__ = dict.fromkeys(names, str | None)
    return signature


def _route(index: int, shell: _Shell) -> Callable[..., Any]:
    handler = shell.container.routes[index][2]
    names = list(inspect.signature(handler).parameters)

    def answer(**arguments: Any) -> Any:
        sent: list[Any] = []
        token = _sent.set(sent)
        try:
            returned = handler(**{name: arguments.get(name) for name in names})
        finally:
            _sent.reset(token)
        return returned if returned is not None or not sent else sent[-1]

    return answer


def _commands(probe: ProcessContainer) -> Iterator[HandlerSpec]:
    """The business methods of the controller, for callers inside: by name, with one value or a mapping of arguments."""
    life = {"configure", "set_references", "unset_references", "open", "close"}
    for name, _ in inspect.getmembers(probe.controller, inspect.ismethod):
        if not name.startswith("_") and name not in life:
            yield HandlerSpec(name=name, accepts=Any, replies=Any, bind=partial(_command, name), blocking=True)


def _command(name: str, shell: _Shell) -> Callable[[Any], Any]:
    def perform(body: Any) -> Any:
        method = getattr(shell.container.controller, name)
        return method(**body) if isinstance(body, dict) else method(body)

    return perform
