"""Stand-in for ``iop``: components, and the producer that makes specs of production items.

``__init__`` is never called. A process has one instance a conversation: a copy of the one that ``on_init`` prepared.
The conversation is the delivery of its first request; the requests it sends are savepoints, so that it runs again
after a crash, and gets the recorded replies.
"""

from __future__ import annotations

import copy
import inspect
import math
import sys
import typing
from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from functools import partial
from typing import Any, NamedTuple

from junctor import RetryPolicy, message
from junctor.core.policy import Policies
from junctor.core.port import Pending, Port
from junctor.core.spec import Activity, Context, HandlerSpec, ScheduleSpec, ServiceSpec, service_name
from junctor.errors import RequestFailed, RequestTimeout


class Message:
    """Base of messages; they are named ``module.Class``, because each program has a ``MyRequest`` of its own."""

    def __init_subclass__(cls) -> None:
        message(name=f"{cls.__module__}.{cls.__qualname__}")(cls)


class _Component:
    _port: Port

    def on_init(self) -> Any: ...

    def on_tear_down(self) -> Any: ...

    def on_teardown(self) -> Any: ...

    def log_info(self, text: str) -> None:
        self._port.log.info("%s", text)

    def send_request_sync(self, target: str, request: Any, timeout: float = -1, description: str | None = None) -> Any:
        return self._answer(self._request(target, request, timeout, description))

    def send_request_async(self, target: str, request: Any, description: str | None = None) -> None:
        self._send(target, request, description)

    async def send_request_async_ng(
        self, target: str, request: Any, timeout: float = -1, description: str | None = None
    ) -> Any:
        return await self._request(target, request, timeout, description)

    def _send(self, target: str, request: Any, description: str | None) -> None:
        link = self._port.link_to(service_name(target), type(request))
        self._port.send(link, request, headers=_described(description)).result()

    def _request(self, target: str, request: Any, timeout: float, description: str | None) -> Pending[Any]:
        link = self._port.link_to(service_name(target), type(request), Any)
        seconds = math.inf if timeout == -1 else timeout
        return self._port.request(link, request, timeout=seconds, headers=_described(description))

    @staticmethod
    def _answer(pending: Pending[Any]) -> Any:
        try:
            return pending.result()
        except RequestTimeout:
            return None
        except RequestFailed as error:
            raise RuntimeError(str(error)) from error


class BusinessOperation(_Component):
    def on_message(self, request: Any) -> Any: ...


class BusinessService(_Component):
    @staticmethod
    def get_adapter_type() -> str | None:
        return None


class _Call(NamedTuple):
    request: Any
    pending: Pending[Any]
    key: str | None


class BusinessProcess(_Component):
    _calls: list[_Call]

    def on_message(self, request: Any) -> Any:
        return self.on_request(request)

    def on_request(self, request: Any) -> Any: ...

    def on_response(
        self, request: Any, response: Any, call_request: Any, call_response: Any, completion_key: str | None
    ) -> Any:
        return response

    def on_complete(self, request: Any, response: Any) -> Any:
        return response

    def send_request_async(
        self,
        target: str,
        request: Any,
        description: str | None = None,
        completion_key: str | None = None,
        response_required: bool = True,
    ) -> None:
        if not response_required:
            self._send(target, request, description)
        else:
            self._calls.append(_Call(request, self._request(target, request, -1, description), completion_key))


def spec_of(name: str, cls: type[_Component], settings: Mapping[str, Any] | None = None) -> ServiceSpec:
    """The spec of a production item."""
    return ServiceSpec(
        name=service_name(name),
        build=partial(_build, cls),
        dialect="iop",
        origin=f"{cls.__module__}.{cls.__qualname__}",
        handlers=tuple(_handlers(cls)),
        schedules=tuple(_schedules(cls)),
        types=tuple(_messages_beside(cls)),
        settings=settings or {},
        start=Activity(bind=lambda component: component.on_init, blocking=True),
        stop=Activity(bind=lambda component: partial(_tear_down, component), blocking=True),
        # An error goes back to the caller; there it is tried again only when the production says so.
        policies=Policies(retry=RetryPolicy(attempts=1)),
    )


def _build(cls: type[_Component], context: Context) -> _Component:
    component = cls.__new__(cls)
    component._port = context.port
    vars(component).update(context.settings)
    return component


def _tear_down(component: _Component) -> None:
    component.on_tear_down()
    component.on_teardown()


def _handlers(cls: type[_Component]) -> Iterator[HandlerSpec]:
    """Each typed method of one parameter takes its type; ``on_message`` takes the rest."""
    if issubclass(cls, BusinessService):
        return
    enter = _converse if issubclass(cls, BusinessProcess) else _enter
    for name, function in inspect.getmembers(cls, inspect.isfunction):
        accepts = _typed(function) if not name.startswith("_") else None
        if accepts is not None:
            yield HandlerSpec(name=name, accepts=accepts, replies=Any, bind=partial(enter, name), blocking=True)
    yield HandlerSpec(name="on_message", accepts=Any, replies=Any, bind=partial(enter, "on_message"), blocking=True)


def _typed(function: Any) -> type[Message] | None:
    parameters = list(inspect.signature(function).parameters)[1:]
    hint = typing.get_type_hints(function).get(parameters[0]) if len(parameters) == 1 else None
    return hint if isinstance(hint, type) and issubclass(hint, Message) else None


def _enter(name: str, component: _Component) -> Any:
    return getattr(component, name)


def _converse(name: str, component: BusinessProcess) -> Any:
    """A conversation from its request to its reply, on an instance of its own."""

    def converse(request: Any) -> Any:
        talk = copy.copy(component)
        talk._calls = []
        response = getattr(talk, name)(request)
        while talk._calls:
            # In the order of sending and not of arrival: a second run must do the same as the first.
            call = talk._calls.pop(0)
            response = talk.on_response(request, response, call.request, talk._answer(call.pending), call.key)
        return talk.on_complete(request, response)

    return converse


def _schedules(cls: type[_Component]) -> Iterator[ScheduleSpec]:
    # Pages write get_adapter_type without self, so it is called on the class.
    if issubclass(cls, BusinessService) and cls.get_adapter_type() == "Ens.InboundAdapter":
        interval = getattr(cls, "CallInterval", 5.0)
        yield ScheduleSpec(
            name="on_process_input", bind=lambda service: service.on_process_input, every=interval, blocking=True
        )


def _messages_beside(cls: type) -> Iterator[type]:
    for value in vars(sys.modules[cls.__module__]).values():
        if isinstance(value, type) and issubclass(value, Message) and is_dataclass(value):
            yield value


def _described(description: str | None) -> dict[str, str] | None:
    return {"description": description} if description else None
