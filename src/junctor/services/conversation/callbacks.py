"""The marks of callbacks of a conversation, and what a class makes of them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, overload

import msgspec

from junctor.errors import ConfigurationError
from junctor.messages import codec
from junctor.messages.types import is_body_class
from junctor.services.hints import signature_of
from junctor.services.markers import Continues, F, Handles, marked
from junctor.services.member import Member, is_blocking


class Asked(msgspec.Struct, frozen=True):
    """What a conversation asked, for a callback that takes it beside the reply or error: ``name``, the name of the
    target, when, and the body of the request."""

    name: str
    target: str
    at: datetime
    request: Any = None


@overload
def on_reply(name: F, /) -> F: ...


@overload
def on_reply(name: str | None = None, /) -> Callable[[F], F]: ...


def on_reply(name: Any = None, /) -> Any:
    """Called with the reply to a request that a conversation asked under this name: ``@on_reply("hotel")``. Without a
    name: with the replies to all others. A second parameter, ``asked: Asked``, tells what was asked."""
    return _marks("reply", name)


@overload
def on_failure(name: F, /) -> F: ...


@overload
def on_failure(name: str | None = None, /) -> Callable[[F], F]: ...


def on_failure(name: Any = None, /) -> Any:
    """Called with the error, a :class:`~junctor.errors.RequestError`, of a request of this name that was parked,
    expired or timed out; without a name: of all others. An error that no callback takes ends the conversation as
    failed."""
    return _marks("failure", name)


@overload
def on_timer(name: F, /) -> F: ...


@overload
def on_timer(name: str | None = None, /) -> Callable[[F], F]: ...


def on_timer(name: Any = None, /) -> Any:
    """Called when the timer of this name has run out; without a name: with the name of any other timer."""
    return _marks("timer", name)


def on_complete(function: F, /) -> F:
    """Called when the last open request of a conversation has ended. What it returns is the reply to the message that
    began the conversation, which ends then, unless this callback has asked anew. As OnComplete of a business process in
    InterSystems IRIS."""
    return marked(function, Continues("complete"), "@on_complete")


def _marks(what: str, name: Any) -> Any:
    written = f"@on_{what}"
    if name is None or isinstance(name, str):
        return lambda function: marked(function, Continues(what, name or ""), written)
    return marked(name, Continues(what), written)


class Callback(msgspec.Struct, frozen=True):
    """A method that a conversation goes on with. ``accepts`` is the type of its first parameter; ``asks`` says that it
    takes an :class:`Asked` too, ``takes`` how many parameters it has."""

    name: str
    blocking: bool
    accepts: Any = Any
    takes: int = 0

    def read(self, body: Any) -> Any:
        """A reply as the type that the method takes.

        :raises DecodeError: it does not fit.
        """
        kind = self.accepts
        if kind is Any or (isinstance(kind, type) and isinstance(body, kind) and is_body_class(kind)):
            return body
        try:
            return codec.convert(codec.to_plain(body), kind)
        except Exception as error:
            raise codec.decode_error(error, self.name, getattr(kind, "__name__", str(kind))) from error


class Callbacks(msgspec.Struct):
    """All callbacks of a class, by what they are for and under which name. ``begin`` and ``join`` are handlers with
    their marks."""

    replies: dict[str, Callback] = {}
    failures: dict[str, Callback] = {}
    timers: dict[str, Callback] = {}
    complete: Callback | None = None
    handlers: dict[str, tuple[Callback, Handles]] = {}
    keeps_requests: bool = False

    @property
    def blocking(self) -> bool:
        """Whether all of them run in the thread of a slot: one that blocks is enough."""
        named = (*self.replies.values(), *self.failures.values(), *self.timers.values())
        rest = [callback for callback, _ in self.handlers.values()]
        rest += [self.complete] if self.complete is not None else []
        return any(callback.blocking for callback in (*named, *rest))

    def reply(self, name: str) -> Callback | None:
        return self.replies.get(name) or self.replies.get("")

    def failure(self, name: str) -> Callback | None:
        return self.failures.get(name) or self.failures.get("")

    def timer(self, name: str) -> Callback | None:
        return self.timers.get(name) or self.timers.get("")


_MOST = {"reply": (1, 2), "failure": (1, 2), "timer": (0, 1), "complete": (0, 0)}
_EXAMPLES = {
    "reply": "(self, reply: Confirmation)",
    "failure": "(self, error: RequestError)",
    "timer": "(self)",
    "complete": "(self)",
}


def callbacks_of(members: Iterable[Member]) -> Callbacks:
    """The callbacks among the marked methods of a class.

    :raises ConfigurationError: one takes the wrong parameters, or two are for the same.
    """
    found = Callbacks()
    for member in members:
        for each in member.marks:
            if isinstance(each, Continues):
                _add(found, member, each)
            elif isinstance(each, Handles):
                found.handlers[member.name] = (Callback(member.name, is_blocking(member.function)), each)
            else:
                raise member.wrong(
                    "a conversation lives only while one of its messages is handled",
                    "Move schedules, routes, actions and WebSockets to a Service that sends to the conversation.",
                )
    return found


def _add(found: Callbacks, member: Member, mark: Continues) -> None:
    callback = _callback(member, mark)
    if mark.what == "complete":
        _free(member, found.complete)
        found.complete = callback
        return
    places = {"reply": found.replies, "failure": found.failures, "timer": found.timers}[mark.what]
    _free(member, places.get(mark.name))
    places[mark.name] = callback
    found.keeps_requests = found.keeps_requests or callback.takes == 2


def _free(member: Member, other: Callback | None) -> None:
    if other is not None:
        raise member.wrong(f"{other.name} is called for this already", "Keep one callback for each name.")


def _callback(member: Member, mark: Continues) -> Callback:
    signature = signature_of(member.function, member.owner)
    parameters = [one for one in signature.parameters.values() if one.kind is one.POSITIONAL_OR_KEYWORD]
    least, most = _MOST[mark.what]
    required = [one for one in parameters if one.default is inspect.Parameter.empty]
    if not least <= len(parameters) or len(required) > most:
        names = ", ".join(one.name for one in parameters) or "none"
        raise member.wrong(
            f"@on_{mark.what} marks a method with {least if least == most else f'{least} or {most}'} parameters, "
            f"and this one takes {names}",
            f"Write for example def {member.name}{_EXAMPLES[mark.what]}.",
        )
    annotation = parameters[0].annotation if parameters else Any
    accepts = Any if annotation is inspect.Parameter.empty or mark.what != "reply" else annotation
    return Callback(member.name, is_blocking(member.function), accepts, min(len(parameters), most))


def refused(cls: type, name: str) -> ConfigurationError:
    """The error of a method or attribute that a conversation cannot have."""
    return ConfigurationError(
        f'a conversation has no "{name}": there is one instance for each conversation, and only while it is called',
        where=f"{cls.__name__}.{name}",
        fix="Move it to a Service.",
    )
