"""The base class of what users write."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Generator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

from junctor.clock import instant, parse_duration
from junctor.core.hop import caller
from junctor.core.port import Pending, Port
from junctor.errors import ConfigurationError, OutsideDelivery
from junctor.messages import Message
from junctor.services.alone import Alone
from junctor.services.declared import declared_settings, declared_targets, other_attributes, raw_settings
from junctor.services.hints import own_annotations, remember_locals
from junctor.services.names import name_of_class
from junctor.services.state import State
from junctor.services.target import RecordingTarget, Target
from junctor.settings import MISSING, read_settings

Req = TypeVar("Req")
Rep = TypeVar("Rep")


class Attachment:
    """What a service object holds of Junctor: its port, its name, and the arguments it was made with."""

    __slots__ = ("args", "hosted", "kwargs", "name", "port", "recorders", "state")

    def __init__(self, port: Port, name: str, hosted: bool, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.port = port
        self.name = name
        self.hosted = hosted
        self.args = args
        self.kwargs = kwargs
        self.state = State(port)
        self.recorders: dict[tuple[str, Any], RecordingTarget[Any, Any]] = {}


class Sleep:
    """A pause: await it in async code; in blocking code it is over when the call returns.

    Its truth, or what awaiting gives, tells whether the service is asked to stop: ``while not self.sleep("2s"): ...``.
    """

    __slots__ = ("_pending",)

    def __init__(self, pending: Pending[bool]) -> None:
        self._pending = pending

    def __await__(self) -> Generator[Any, Any, bool]:
        return self._pending.__await__()

    def __bool__(self) -> bool:
        return self._pending.result()


class Service:
    """A service: methods with marks, settings as class attributes, targets as annotations.

    The constructor takes the settings by keyword, converts and checks them, and does nothing else: the object is a
    blueprint, and the node makes its own instances from it. Its methods can be called as they are, in a test or a
    notebook; nothing is queued then, state is in memory and targets record what they are given.

    Optional methods, sync or async: ``on_start`` before the first message, ``loop`` for as long as the service runs,
    ``on_stop`` after the last message.

    :raises SettingError: a setting is unknown, missing, of the wrong type or out of bounds.
    """

    __junctor__: Attachment

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        remember_locals(cls)
        if "__junctor_base__" not in vars(cls):
            _refuse_taken_names(cls)
        if "__init__" not in vars(cls) and cls.__init__ is Service.__init__:
            cls.__signature__ = _signature(cls)  # type: ignore[attr-defined]

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        self = super().__new__(cls)
        name = name_of_class(cls)
        vars(self)["__junctor__"] = Attachment(Alone(name), name, False, args, kwargs)
        return self

    def __init__(self, **settings: Any) -> None:
        if not self.__junctor__.hosted:
            cls = type(self)
            known, others = declared_settings(cls), other_attributes(cls)
            try:
                vars(self).update(read_settings(known, settings, cls.__name__, others=others))
                self.check_settings()
            except ConfigurationError as error:
                raise error.with_traceback(None)  # noqa: B904 - the caller's line says where, the text what

    # What the node provides -----------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The name of the service in its flow."""
        return self.__junctor__.name

    @property
    def log(self) -> logging.Logger | logging.LoggerAdapter[logging.Logger]:
        """A logger of the standard library; inside a delivery its lines belong to the trace of the message."""
        return self.__junctor__.port.log

    @property
    def state(self) -> State:
        """What the service keeps over messages and restarts: see :class:`~junctor.services.State`."""
        return self.__junctor__.state

    @property
    def message(self) -> Message:
        """The envelope of the message being handled. A unit test assigns one: ``service.message =
        Message.example(body)``.

        :raises OutsideDelivery: none is: this is a schedule, route or action, ``loop``, ``on_start`` or ``on_stop``, or
            a unit test that has assigned none.
        """
        message = self.__junctor__.port.message()
        if message is None:
            fix = None if self.__junctor__.hosted else f"In a test: {_AN_EXAMPLE}"
            raise OutsideDelivery("no message is being handled here", where=f"{self.name}.message", fix=fix)
        return message

    @property
    def caller(self) -> str:
        """The name of the API key with which the running route, action or WebSocket was called; empty without one."""
        return caller()

    @property
    def stopping(self) -> bool:
        """True from the moment the service is asked to stop; blocking code looks at it in its loops."""
        return self.__junctor__.port.stopping

    def now(self) -> datetime:
        """The time of the node's clock, a date in UTC: ``self.now().astimezone()`` is local time.

        In a flow under test it is the virtual time, so code that asks here what time it is can be tested on any day;
        without a node it is the time of the machine.
        """
        return instant(self.__junctor__.port.time_ns())

    def sleep(self, duration: float | str) -> Sleep:
        """Wait for seconds or a text like ``"2s"``, less when the service is asked to stop: see :class:`Sleep`."""
        return Sleep(self.__junctor__.port.sleep(parse_duration(duration)))

    @overload
    def target(
        self, name: str, request: type[Req], reply: type[Rep], *, handler: str | None = None
    ) -> Target[Req, Rep]: ...

    @overload
    def target(
        self, name: str, request: type[Req], reply: None = None, *, handler: str | None = None
    ) -> Target[Req, Any]: ...

    @overload
    def target(
        self, name: str, request: Any = Any, reply: Any = None, *, handler: str | None = None
    ) -> Target[Any, Any]: ...

    def target(
        self, name: str, request: Any = Any, reply: Any = None, *, handler: str | None = None
    ) -> Target[Any, Any]:
        """A target chosen at run time: a service of this flow, or ``flow/service`` in this node.

        :param request: the type to send; ``reply``: the type of the answer to requests.
        :param handler: the handler it is for, by name; plain data is then read as the type that this one takes.
        :raises UnknownTarget: there is no such service.
        """
        inside = self.__junctor__
        if inside.hosted:
            link = inside.port.link_to(name, request, reply, handler=handler)
            made: Target[Any, Any] = Target(inside.port, (link,), request, f"{inside.name} -> {name}")
            made._asks = vars(self).get("__junctor_asks__")
            return made
        return inside.recorders.setdefault((name, request), RecordingTarget(request, f"{inside.name} -> {name}"))

    def publish(self, body: Any, *, key: str | None = None, headers: Mapping[str, str] | None = None) -> Pending[int]:
        """Send to every service of the flow that subscribes to the type of the body. Gives the number of receivers."""
        return self.__junctor__.port.publish(body, key=key, headers=headers)

    def broadcast(self, body: Any, *, headers: Mapping[str, str] | None = None) -> Pending[int]:
        """Send to every service of the flow that handles the type of the body. Gives the number of receivers."""
        return self.__junctor__.port.broadcast(body, headers=headers)

    # What users may override ----------------------------------------------------------------------------------

    def check_settings(self) -> None:
        """Called when the object is made and when a flow is read, with the settings in place and nothing else: refuse
        what does not fit together.

        :raises SettingError: something does not; ``where`` is the name of the setting, and the place is added.
        """

    def on_start(self) -> Any:
        """Called for each instance before its first message."""

    def on_stop(self) -> Any:
        """Called for each instance after its last message."""

    def loop(self) -> Any:
        """Runs beside the messages, again whenever it returns, until the service stops. An exception restarts it;
        one that means that the other side is away lets it be called again, ever more rarely."""

    # ----------------------------------------------------------------------------------------------------------

    if not TYPE_CHECKING:  # a checker must go on refusing unknown attributes

        def __getattr__(self, name: str) -> Any:
            """Reached for what an instance does not have: a declared target of a service without a node."""
            spec = None if name.startswith("__") else declared_targets(type(self)).get(name)
            if spec is None or self.__junctor__.hosted:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            made = vars(self)[name] = RecordingTarget(spec.request, f"{self.name}.{name}")
            return made

    def __repr__(self) -> str:
        known = declared_settings(type(self))
        shown = [
            f"{name}={'***' if setting.hidden(kind) else repr(vars(self).get(name, setting.default))}"
            for name, (setting, kind) in known.items()
        ]
        return f"{type(self).__name__}({', '.join(shown)})"


def published(service: Service) -> list[Any]:
    """What a service without a node has published and broadcast, for unit tests."""
    port = service.__junctor__.port
    return port.published if isinstance(port, Alone) else []


_AN_EXAMPLE = "service.message = Message.example(body), before its handler is called."
_TAKEN = ("name", "log", "state", "message", "caller", "stopping", "now", "sleep", "target", "publish", "broadcast")


def _refuse_taken_names(cls: type) -> None:
    more = getattr(cls, "__junctor_taken__", ())
    for name in (*_TAKEN, *more):
        if name in vars(cls) or name in own_annotations(cls):
            raise ConfigurationError(
                f'the name "{name}" is taken by Service',
                where=f"{cls.__name__}.{name}",
                fix=f"Choose another name, for example {name_of_class(cls).replace('-', '_')}_{name}.",
            )


def _signature(cls: type) -> inspect.Signature:
    """The constructor as editors and ``help()`` show it."""
    parameters = []
    for name, (setting, annotation) in raw_settings(cls).items():
        default = inspect.Parameter.empty if setting.default is MISSING else setting.default
        kind = inspect.Parameter.KEYWORD_ONLY
        parameters.append(inspect.Parameter(name, kind, default=default, annotation=annotation))
    return inspect.Signature(parameters)


def _refuse(name: str) -> Callable[[Any, Any], None]:
    def refuse(service: Service, value: Any) -> None:
        port = service.__junctor__.port
        if name == "message" and isinstance(port, Alone):
            port.handled = value
            return
        fix = 'Assign an entry: self.state["name"] = value.' if name == "state" else f"Choose another name than {name}."
        where = f"{type(service).__name__}.{name}"
        raise ConfigurationError("it is provided by Junctor and cannot be replaced", where=where, fix=fix)

    return refuse


for _name, _member in list(vars(Service).items()):
    if isinstance(_member, property):
        setattr(Service, _name, _member.setter(_refuse(_name)))
