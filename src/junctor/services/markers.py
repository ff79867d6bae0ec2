"""Marks for methods and module-level functions: they say how code is entered, and leave the function as it is.

A marked function can still be called like any other; nothing happens before a spec is made of its class or module.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar, overload

import msgspec

from junctor.errors import ConfigurationError
from junctor.settings import Setting

F = TypeVar("F", bound=Callable[..., Any])

MARKS = "__junctor_marks__"


class Handles(msgspec.Struct, frozen=True):
    """A queued entry. In a conversation ``key`` names the field by which a message finds the open one, and ``begins``
    says whether it may begin one."""

    subscribes: bool = False
    key: str = ""
    begins: bool = True


class Ticks(msgspec.Struct, frozen=True):
    """A timed entry, as written. What is a setting has its value when the settings are known."""

    every: str | float | Setting | None = None
    cron: str | Setting | None = None
    zone: str | Setting | None = None
    initial: str | float | Setting = 0.0
    repeats: bool = False


class Serves(msgspec.Struct, frozen=True):
    """An HTTP entry, as written. What is a setting has its value when the settings are known; that of ``method`` may be
    a list."""

    method: str | Setting
    path: str | Setting
    status: int | Setting = 200


class Acts(msgspec.Struct, frozen=True):
    """A named call; the function's name when ``name`` is empty."""

    name: str = ""


class Talks(msgspec.Struct, frozen=True):
    """A WebSocket entry."""

    path: str


class Continues(msgspec.Struct, frozen=True):
    """An entry of a conversation that goes on: ``what`` is for replies, failures, timers or the end of all, ``name``
    under which name."""

    what: str
    name: str = ""


class Signals(msgspec.Struct, frozen=True):
    """A message to a run of a workflow."""


class Queries(msgspec.Struct, frozen=True):
    """A question about a run of a workflow."""


Mark = Handles | Ticks | Serves | Acts | Talks | Continues | Signals | Queries


def marks_of(function: object) -> tuple[Mark, ...]:
    """The marks of a function, in the order in which they are read from top to bottom."""
    found: tuple[Mark, ...] = getattr(function, MARKS, ())
    return found


def place_of(function: Callable[..., Any]) -> str:
    """``Alarm.on_reading (alarm.py:12)``, for errors."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    name: str = getattr(function, "__qualname__", repr(function)).rpartition("<locals>.")[2]
    if code is None:
        return name
    file = code.co_filename.replace("\\", "/").rpartition("/")[2]
    return f"{name} ({file}:{code.co_firstlineno})"


def is_plain(function: object) -> bool:
    """Whether it is a function, perhaps decorated: not a class, a staticmethod, a partial."""
    if isinstance(function, (staticmethod, classmethod)) or not callable(function):
        return False
    return inspect.isfunction(inspect.unwrap(function))


def marked(function: F, mark: Mark, written: str) -> F:
    """The function with one more mark.

    :param written: as users write it, for errors.
    :raises ConfigurationError: it is no function.
    """
    if not is_plain(function):
        raise ConfigurationError(
            f"{written} marks a function, got {function!r}",
            fix=f"Write {written} alone on the line above `def` or `async def`, next to other marks.",
        )
    setattr(function, MARKS, (mark, *marks_of(function)))
    return function


def _needs(written: str, what: str, example: str, given: object) -> ConfigurationError:
    where = place_of(given) if inspect.isfunction(given) else None
    got = "nothing" if where else repr(given)
    return ConfigurationError(f"{written} needs {what}, got {got}", where=where, fix=f"Write for example {example}.")


@overload
def handler(function: F, /) -> F: ...


@overload
def handler(*, key: str = "", begins: bool = True) -> Callable[[F], F]: ...


def handler(function: Any = None, /, *, key: str = "", begins: bool = True) -> Any:
    """Messages of the type of the parameter are queued for this method, one delivery each, and tried again on failure.

    ``def on_reading(self, reading: Reading) -> Verdict`` accepts Reading and replies Verdict. Without a return type
    there is no reply. ``Any`` takes what no other handler takes. A plain ``def`` runs in a thread.

    :param key: in a :class:`~junctor.Conversation` the field of the body that says which one the message is for.
    :param begins: whether such a message begins a conversation where none is open with its key.
    """
    if function is None:
        return lambda function: marked(function, Handles(key=key, begins=begins), "@handler")
    return marked(function, Handles(key=key, begins=begins), "@handler")


@overload
def subscribe(function: F, /) -> F: ...


@overload
def subscribe(*, key: str = "", begins: bool = True) -> Callable[[F], F]: ...


def subscribe(function: Any = None, /, *, key: str = "", begins: bool = True) -> Any:
    """A :func:`handler` that also receives what anybody in the flow publishes of its type."""
    if function is None:
        return lambda function: marked(function, Handles(True, key, begins), "@subscribe")
    return marked(function, Handles(subscribes=True), "@subscribe")


def every(
    interval: str | float | Setting | None, *, initial: str | float | Setting = 0.0, repeats: bool = False
) -> Callable[[F], F]:
    """Call the method again and again, without overlap: ``@every("2s")``.

    :param interval: seconds between two starts, or a text like ``"200ms"``, ``"5m"``; or a setting that is declared
        above: ``@every(interval)`` below ``interval: Duration = setting("2s")``.
    :param initial: the wait before the first call.
    :param repeats: a call that returns True is followed by another one at once, for work that comes in portions. Each
        is a delivery of its own. Where the targets lead to services that still have much to do, it waits for them, up
        to one interval.
    """
    if interval is None or isinstance(interval, bool) or not isinstance(interval, (str, int, float, Setting)):
        raise _needs("@every", "an interval", '@every("2s")', interval)
    return lambda function: marked(function, Ticks(every=interval, initial=initial, repeats=repeats), "@every(...)")


def cron(expression: str | Setting, *, zone: str | Setting | None = None) -> Callable[[F], F]:
    """Call the method by the calendar: ``@cron("*/5 * * * *")``.

    :param expression: five fields: minute, hour, day of month, month, day of week; or a setting that is declared above.
        A setting that is empty means never.
    :param zone: a time zone like ``"Europe/Vienna"``; the machine's by default.
    """
    if not isinstance(expression, (str, Setting)):
        raise _needs("@cron", "five fields", '@cron("*/5 * * * *")', expression)
    return lambda function: marked(function, Ticks(cron=expression, zone=zone), "@cron(...)")


@overload
def action(function: F, /) -> F: ...


@overload
def action(*, name: str = "") -> Callable[[F], F]: ...


def action(function: Any = None, /, *, name: str = "") -> Any:
    """The method can be called by name: ``POST /SERVICE/ACTION`` and ``junctor call SERVICE ACTION``. The caller waits.

    :param name: the name of the action; the method's by default.
    """
    if function is None:
        return lambda function: marked(function, Acts(name), "@action")
    if isinstance(function, str):
        raise ConfigurationError(f"@action({function!r}) is not clear", fix=f'Write @action(name="{function}").')
    return marked(function, Acts(name), "@action")


def _route(method: str, path: object, status: int) -> Callable[[F], F]:
    written = f"@{method.lower()}"
    return _at(written, path, f'{written}("/alarms/{{sensor}}")', lambda path: Serves(method, path, status))


def _at(written: str, path: object, example: str, mark: Callable[[str], Mark]) -> Callable[[F], F]:
    if not isinstance(path, str) or not path.startswith("/"):
        raise _needs(written, "a path that begins with /", example, path)
    return lambda function: marked(function, mark(path), f"{written}(...)")


def get(path: str, *, status: int = 200) -> Callable[[F], F]:
    """Answer ``GET path``. Parts in braces, like ``/alarms/{sensor}``, are parameters of the method.

    :param status: the HTTP status of a normal answer.
    """
    return _route("GET", path, status)


def post(path: str, *, status: int = 200) -> Callable[[F], F]:
    """Answer ``POST path``; see :func:`get`. A parameter of a class with fields is read from the body."""
    return _route("POST", path, status)


def put(path: str, *, status: int = 200) -> Callable[[F], F]:
    """Answer ``PUT path``; see :func:`post`."""
    return _route("PUT", path, status)


def patch(path: str, *, status: int = 200) -> Callable[[F], F]:
    """Answer ``PATCH path``; see :func:`post`."""
    return _route("PATCH", path, status)


def delete(path: str, *, status: int = 200) -> Callable[[F], F]:
    """Answer ``DELETE path``; see :func:`get`."""
    return _route("DELETE", path, status)


def route(
    path: str | Setting, *, methods: str | Sequence[str] | Setting = "*", status: int | Setting = 200
) -> Callable[[F], F]:
    """Answer several methods at ``path``, by default all. Where another route of the path has the method, that one
    answers. A parameter of type :class:`junctor.http.Request` gets the whole request::

        @route("/legacy/{rest:path}")
        async def legacy(self, request: Request, rest: str) -> Response: ...

    Each may be a setting that is declared above, as in ``@route(path, methods=methods)``.

    :param methods: names of methods, or ``"*"``.
    """
    names = [methods] if isinstance(methods, (str, Setting)) else [*methods]
    if not names:
        raise _needs("@route", "a method", '@route("/alarms", methods=["GET", "POST"])', methods)
    marks = [_placed(name, path, status) for name in names]

    def mark(function: F) -> F:
        for one in reversed(marks):
            function = one(function)
        return function

    return mark


def _placed(method: str | Setting, path: str | Setting, status: int | Setting) -> Callable[[F], F]:
    serves = partial(Serves, method if isinstance(method, Setting) else method.upper(), status=status)
    if isinstance(path, Setting):
        return lambda function: marked(function, serves(path), "@route(...)")
    return _at("@route", path, '@route("/legacy/{rest:path}")', serves)


def websocket(path: str) -> Callable[[F], F]:
    """Open a WebSocket at ``path``. The ``async def`` method runs once a connection, for as long as it lasts::

        @websocket("/live/{sensor}")
        async def live(self, socket: Socket[Ask, Reading], sensor: str):
            async for ask in socket:
                await socket.send(self.newest(sensor, ask))

    One parameter is a :class:`~junctor.Socket`; the others come from the path, query and headers as in :func:`get`.
    """
    return _at("@websocket", path, '@websocket("/live")', Talks)
