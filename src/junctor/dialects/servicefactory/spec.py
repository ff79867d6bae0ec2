"""From a class of Service Factory to the spec that the engine runs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec

from junctor.core.spec import Activity, Context, HandlerSpec, RouteSpec, ServiceSpec, service_address
from junctor.dialects.servicefactory.api import SHUTDOWN, actions_of
from junctor.dialects.servicefactory.base import base
from junctor.dialects.servicefactory.failing import FailingLoop
from junctor.dialects.servicefactory.token import TOKEN_HEADER, is_token, make_token, remove_token
from junctor.errors import ConfigurationError, nearest
from junctor.http import HttpError, Request, Response
from junctor.messages.codec import encode
from junctor.node.here import node_of
from junctor.services import name_of_class

Stage = Callable[..., Any]
"""Where ``loop()``, ``finalize()`` and the constructor run: ``stage(call, *args)``."""


def directly(call: Callable[..., Any], *args: Any) -> Any:
    """The stage of a service that a node hosts: the thread that calls."""
    return call(*args)


class Part:
    """A service of Service Factory in its node. ``__init__`` is its set-up and may block, so the object is made when
    the service starts, unless the program has made it."""

    def __init__(self, cls: type[base], made: base | None, stage: Stage, prefix: str, context: Context) -> None:
        self._cls = cls
        self._prefix = prefix
        self._made = made
        self._stage = stage
        self._port = context.port
        self._failing = FailingLoop(context.port, context.policies.restart)
        self._service: Any = made
        self._actions = actions_of(cls)
        self._token = ""

    def start(self) -> None:
        """Make the object, and the token that ends it."""
        service = self._made if self._made is not None else self._stage(self._cls)
        service._port, service._ends = self._port, False
        service._prints = self._stage is not directly
        self._service = service
        if self._cls.PORT is not None and not self._token:
            self._token = self._made_token(self._cls.PORT)

    def _made_token(self, port: int) -> str:
        """Empty where there is no place for it: a user without a home. The actions work all the same."""
        try:
            return make_token(port, self._place())
        except OSError as error:
            text = "nobody can end the service over HTTP: its token cannot be written: %s; set XDG_STATE_HOME"
            self._port.log.warning(text, error)
            return ""

    def _place(self) -> str:
        """Where its actions are, when that is not its own port."""
        node = node_of(service_address(self._port.flow, self._port.service))
        place = f"{node.listeners.url_of(self._port.flow)}{self._prefix}" if node is not None else ""
        # Only this machine gets the token, and nothing is to be said of the port of the class itself.
        return place if place.startswith("http://127.0.0.1:") and place != f"http://127.0.0.1:{self._cls.PORT}" else ""

    def loop(self) -> None:
        """One turn. What it raises is its own affair: the actions go on, and the object stays."""
        if self._service._ends:
            return
        try:
            self._stage(self._service.loop)
        except Exception as error:  # noqa: BLE001 - the engine would close the service, and make another one
            self._failing.failed(error)
        else:
            self._failing.over()

    @property
    def remark(self) -> str:
        """What is to be told of it in ``status``."""
        return self._failing.remark

    def stop(self) -> None:
        try:
            self._stage(self._service.finalize)
        finally:
            if self._cls.PORT is not None:
                remove_token(self._cls.PORT, self._token)

    def act(self, action: str, data: bytes) -> Any:
        """Do an action of the service."""
        return getattr(self._service, self._actions[action])(data)

    def answer(self, action: str, request: Request) -> Response:
        """Do an action for a request."""
        return response_of(self.act(action, body_of(request.body)))

    def message(self, action: str, body: Any) -> Any:
        """Do an action for a message of another service."""
        return self.act(action, b"" if body is None else body_of(encode(body)))

    def shut_down(self, request: Request) -> Response:
        """End the service for who has its token.

        :raises HttpError: 401, the request has not.
        """
        if not is_token(request.header(TOKEN_HEADER), self._token):
            raise HttpError(
                "shutdown needs the token of the service",
                status=401,
                code="token",
                fix=f"Call {self._cls.__name__}.perform('{SHUTDOWN}') as the user that runs it, or press Ctrl-C there.",
            )
        self._service.shutdown()
        return response_of(None)


def body_of(data: bytes) -> bytes:
    """The body as actions get it: bytes, and of a JSON text what is between its quotes."""
    if data[:1] != b'"':
        return data
    try:
        return msgspec.json.decode(data, type=str).encode()
    except (msgspec.DecodeError, UnicodeError):
        return data


def response_of(value: Any) -> Response:
    """The answer to a request: "ok" where the action returns nothing."""
    if isinstance(value, Response):
        return value
    if value is None or isinstance(value, str | bytes):
        return Response("ok" if value is None else value, media_type="text/plain")
    return Response(encode(value), media_type="application/json")


def spec_of(
    cls: type[base],
    name: str | None = None,
    *,
    made: base | None = None,
    stage: Stage = directly,
    alone: bool = True,
    settings: Mapping[str, Any] | None = None,
    places: Mapping[str, str] | None = None,
) -> ServiceSpec:
    """The spec of a service.

    :param made: the object itself, where the program has made it.
    :param stage: where its ``loop()`` and ``finalize()`` run.
    :param alone: its actions are at ``/ACTION``, on a listener of its own; else at ``/NAME/ACTION``.
    :raises ConfigurationError: the class has no ``loop()``, needs arguments, or is given settings.
    """
    name = name or name_of_class(cls)
    _check(cls, name, made, settings or {}, places or {})
    actions, prefix = actions_of(cls), "" if alone else f"/{name}"
    return ServiceSpec(
        name=name,
        build=partial(_build, cls, made, stage, prefix),
        dialect="servicefactory",
        doc=inspect.cleandoc(cls.__doc__ or "") if cls.__doc__ != base.__doc__ else "",
        origin=_origin(cls),
        handlers=tuple(_handler(action, len(actions) > 1) for action in actions),
        routes=tuple(_routes(actions, prefix)) if cls.PORT is not None else (),
        start=Activity(bind=lambda part: part.start, blocking=True),
        main=Activity(bind=lambda part: part.loop, blocking=True),
        stop=Activity(bind=lambda part: part.stop, blocking=True),
        remark=_remark,
        code=f"{cls.__module__}:{cls.__qualname__}" if "<locals>" not in cls.__qualname__ else "",
    )


def _check(
    cls: type[base], name: str, made: base | None, settings: Mapping[str, Any], places: Mapping[str, str]
) -> None:
    for setting in settings:
        fix = nearest(setting, ()).strip() or "Read it in __init__, for example from the environment."
        raise ConfigurationError("a service of Service Factory has no settings", where=f"{name}.{setting}", fix=fix)
    if cls.loop is base.loop:
        raise ConfigurationError("the class has no loop()", where=cls.__name__, fix="Write def loop(self): ...")
    if made is None:
        try:
            inspect.signature(cls).bind()
        except TypeError as error:
            what = f"the constructor needs arguments: {error}"
            fix = f"Call {cls.__name__}(...).run() in the program, or give the arguments defaults."
            raise ConfigurationError(what, where=cls.__name__, fix=fix) from error


def _build(cls: type[base], made: base | None, stage: Stage, prefix: str, context: Context) -> Part:
    return Part(cls, made, stage, prefix, context)


def _remark(part: Part | None, now: float) -> str:
    return part.remark if part is not None else ""


def _handler(action: str, by_name: bool) -> HandlerSpec:
    return HandlerSpec(
        name=action,
        accepts=Any,
        replies=Any,
        bind=lambda part: partial(part.message, action),
        blocking=True,
        by_name=by_name,
    )


def _routes(actions: Mapping[str, str], prefix: str) -> list[RouteSpec]:
    own = (_route(action, prefix, partial(_answering, action)) for action in actions)
    return [*own, _route(SHUTDOWN, prefix, _ending)]


def _answering(action: str, part: Part) -> Callable[[Request], Response]:
    return partial(part.answer, action)


def _ending(part: Part) -> Callable[[Request], Response]:
    return part.shut_down


def _route(action: str, prefix: str, bind: Callable[[Any], Callable[..., Any]]) -> RouteSpec:
    return RouteSpec(name=action, method="*", path=f"{prefix}/{action}", bind=bind, signature=_whole, blocking=True)


def _whole(request: Request) -> Response:
    """The signature of every action."""
    raise NotImplementedError


def _origin(cls: type) -> str:
    try:
        return f"{inspect.getsourcefile(cls)}:{inspect.getsourcelines(cls)[1]}"
    except (OSError, TypeError):
        return cls.__module__
