"""Stand-in for ``servicefactory``: ``Service.base``, ``Service.API``, and the producer.

``__init__`` is the set-up and may block, so ``build`` makes a shell and the class is called in a thread, at the start.
``perform`` is a class method without an instance: the port it leaves through is the one of the code that calls it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from functools import partial
from typing import Any

from junctor.core.port import Port
from junctor.core.spec import Activity, Context, HandlerSpec, RouteSpec, ServiceSpec, service_name
from junctor.errors import NotRunning
from junctor.messages.codec import encode

_port: ContextVar[Port | None] = ContextVar("servicefactory_port", default=None)


class Response:
    """What ``perform`` gives: as much of ``requests.Response`` as programs use."""

    def __init__(self, value: Any) -> None:
        self.text = "ok" if value is None else value if isinstance(value, str) else encode(value).decode()
        self.status_code = 200


class _Api:
    @staticmethod
    def endpoint(port: int) -> Callable[[type], type]:
        def mark(cls: type) -> type:
            cls.PORT = port
            return cls

        return mark

    @staticmethod
    def handle(action: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        def mark(function: Callable[..., Any]) -> Callable[..., Any]:
            function.handles = action
            return function

        return mark


class _Base:
    PORT: int | None = None

    def loop(self) -> None:
        raise NotImplementedError

    def finalize(self) -> None: ...

    def log(self, text: str) -> None:
        port = _port.get()
        if port is not None:
            port.log.info("%s : %s", type(self).__name__, text)

    @classmethod
    def perform(cls, action: str, data: Any = None) -> Response:
        return _perform(service_name(cls.__name__), action, data)


class Service:
    """``from servicefactory import Service``: a module there. ``named`` is ours, for services of other systems."""

    base = _Base
    API = _Api

    class named:
        def __init__(self, name: str) -> None:
            self.name = service_name(name)

        def perform(self, action: str, data: Any = None) -> Response:
            return _perform(self.name, action, data)


def _perform(service: str, action: str, data: Any) -> Response:
    port = _port.get()
    if port is None:
        raise NotRunning("perform() was called outside of a node", fix="The real dialect calls PORT of the class then.")
    return Response(port.request(port.link_to(service, Any, Any, handler=action), data).result())


class _Shell:
    def __init__(self, cls: type[_Base], port: Port) -> None:
        self.cls = cls
        self.port = port
        self.service: _Base = None  # type: ignore[assignment]

    def set_up(self) -> None:
        self.service = self.inside(self.cls)

    def inside(self, call: Callable[..., Any], *args: Any) -> Any:
        token = _port.set(self.port)
        try:
            return call(*args)
        finally:
            _port.reset(token)

    def method(self, name: str) -> Callable[..., Any]:
        return lambda *args: self.inside(getattr(self.service, name), *args)


def spec_of(cls: type[_Base]) -> ServiceSpec:
    name = service_name(cls.__name__)
    handled = {
        function.handles: key
        for base in cls.__mro__
        for key, function in vars(base).items()
        if hasattr(function, "handles")
    }
    return ServiceSpec(
        name=name,
        build=partial(_build, cls),
        dialect="servicefactory",
        origin=f"{cls.__module__}.{cls.__qualname__}",
        handlers=tuple(
            HandlerSpec(name=action, accepts=Any, replies=Any, bind=partial(_handler, key), blocking=True)
            for action, key in handled.items()
        ),
        routes=tuple(
            RouteSpec(
                name=action,
                method="POST",
                path=f"/{name}/{action}",
                bind=partial(_route, key),
                signature=_raw,
                blocking=True,
            )
            for action, key in handled.items()
        ),
        start=Activity(bind=lambda shell: shell.set_up, blocking=True),
        main=Activity(bind=lambda shell: shell.method("loop"), blocking=True),
        stop=Activity(bind=lambda shell: shell.method("finalize"), blocking=True),
    )


def _build(cls: type[_Base], context: Context) -> _Shell:
    return _Shell(cls, context.port)


def _raw(data: bytes) -> Any:
    """What a route of this system takes: the body as it came."""


def _handler(key: str, shell: _Shell) -> Callable[[Any], Any]:
    return lambda body: shell.method(key)(b"" if body is None else encode(body))


def _route(key: str, shell: _Shell) -> Callable[..., bytes]:
    return lambda data: Response(shell.method(key)(data)).text.encode()
