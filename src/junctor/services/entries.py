"""From marked functions to the entries of a spec: handlers, schedules, routes and actions, each checked."""

from __future__ import annotations

import inspect
import typing
from typing import Any

import msgspec

from junctor.core.spec import ActionSpec, Call, HandlerSpec, SocketSpec
from junctor.messages import Message, type_name
from junctor.services.hints import signature_of
from junctor.services.markers import Acts, Continues, Handles, Queries, Serves, Signals, Talks, Ticks
from junctor.services.member import Member, is_blocking
from junctor.services.serving import Served, path_fits
from junctor.services.socket import socket_types
from junctor.services.target import wire_types
from junctor.services.timing import Timed


class Entries(msgspec.Struct):
    """The entries of one service, in the order of the code. ``keys`` are the fields that handlers name, by handler;
    they, signals and queries are for durable services."""

    handlers: list[HandlerSpec] = []
    schedules: list[Timed] = []
    routes: list[Served] = []
    actions: list[ActionSpec] = []
    sockets: list[SocketSpec] = []
    signals: list[HandlerSpec] = []
    queries: list[ActionSpec] = []
    keys: dict[str, str] = {}

    def add(self, member: Member) -> None:
        """Take the entries of a member in.

        :raises ConfigurationError: a mark is used wrongly; class, method, line and the fix are in the text.
        """
        _takes_self(member)
        _no_generator(member)
        signature = signature_of(member.function, member.owner)
        for mark in member.marks:
            if isinstance(mark, Continues):
                _is_durable(member, mark)
            elif isinstance(mark, Handles):
                self._add_handlers(member, mark, signature)
            elif isinstance(mark, Ticks):
                _needs_nothing(member, signature)
                self.schedules.append(Timed(member, mark))
            elif isinstance(mark, Talks):
                self._add_socket(member, mark, signature)
            elif isinstance(mark, Serves):
                self._add_route(member, mark, signature)
            elif isinstance(mark, Signals):
                self._add_signal(member, signature)
            elif isinstance(mark, Queries):
                self._add_query(member, signature)
            else:
                self._add_action(member, mark, signature)

    def __bool__(self) -> bool:
        return bool(self.handlers or self.schedules or self.routes or self.actions or self.sockets)

    def _add_handlers(self, member: Member, mark: Handles, signature: inspect.Signature) -> None:
        body = _body(member, signature)
        if mark.key:
            self.keys[member.name] = mark.key
        for accepts in wire_types(body):
            self._add_handler(member, mark, accepts, _reply(signature))

    def _add_handler(self, member: Member, mark: Handles, accepts: Any, replies: Any) -> None:
        for other in self.handlers:
            if other.accepts == accepts:
                name = "Any" if accepts is Any else type_name(accepts)
                raise member.wrong(
                    f"{other.name} handles {name} already",
                    "Keep one handler for each type; it may call the other method.",
                )
        spec = HandlerSpec(
            name=member.name,
            accepts=accepts,
            bind=member.bind,
            replies=replies,
            blocking=is_blocking(member.function),
            subscribes=mark.subscribes,
            doc=member.doc,
        )
        self.handlers.append(spec)

    def _add_signal(self, member: Member, signature: inspect.Signature) -> None:
        if not is_blocking(member.function):
            raise member.wrong(
                "a signal is no `async def`: it changes attributes, and the handler waits for that",
                f"Write def {member.name}(self, ...), and await self.wait(...) in the handler.",
            )
        for accepts in wire_types(_body(member, signature)):
            self.signals.append(HandlerSpec(name=member.name, accepts=accepts, bind=member.bind, doc=member.doc))

    def _add_query(self, member: Member, signature: inspect.Signature) -> None:
        if not is_blocking(member.function):
            raise member.wrong("a query is no `async def`: it only reads attributes", f"Write def {member.name}(self).")
        if "run" in signature.parameters:
            raise member.wrong("the parameter `run` of a query is the run itself", "Give it another name.")
        described = _described(member, signature)
        self.queries.append(ActionSpec(name=member.name, bind=member.bind, signature=described, doc=member.doc))

    def _add_route(self, member: Member, mark: Serves, signature: inspect.Signature) -> None:
        self.routes.append(Served(member, mark, signature, _described(member, signature), _yields(member)))

    def _add_socket(self, member: Member, mark: Talks, signature: inspect.Signature) -> None:
        if is_blocking(member.function):
            raise member.wrong("a WebSocket needs an `async def`", f"Write async def {member.name}(...).")
        path_fits(member, mark.path, signature)
        found = {name: socket_types(parameter.annotation) for name, parameter in signature.parameters.items()}
        named = {name: types for name, types in found.items() if types is not None}
        if len(named) != 1:
            first = "self, " if member.owner else ""
            found_wrong = "two parameters" if named else "no parameter"
            raise member.wrong(
                f"it has {found_wrong} for the connection",
                f"Write async def {member.name}({first}socket: Socket[In, Out]).",
            )
        if any(other.path == mark.path for other in self.sockets):
            raise member.wrong(f"there is a WebSocket at {mark.path} already", "Give one of them another path.")
        name, (accepts, sends) = next(iter(named.items()))
        self.sockets.append(
            SocketSpec(
                name=member.name,
                path=mark.path,
                bind=member.bind,
                signature=_described(member, signature),
                socket=name,
                accepts=accepts,
                sends=sends,
                doc=member.doc,
            )
        )

    def _add_action(self, member: Member, mark: Acts, signature: inspect.Signature) -> None:
        name = mark.name or member.name
        if any(other.name == name for other in self.actions):
            raise member.wrong(f'there is an action "{name}" already', "Give one of them another name.")
        spec = ActionSpec(
            name=name,
            bind=member.bind,
            signature=_described(member, signature),
            blocking=is_blocking(member.function),
            doc=member.doc,
        )
        self.actions.append(spec)


def _yields(member: Member) -> bool:
    inner = inspect.unwrap(member.function)
    return inspect.isgeneratorfunction(inner) or inspect.isasyncgenfunction(inner)


def _takes_self(member: Member) -> None:
    """Without it the first parameter would be taken for it, and the call fail only when it comes."""
    if member.owner is None:
        return
    first = next(iter(inspect.signature(member.function).parameters.values()), None)
    if first is not None and first.kind is first.VAR_POSITIONAL:
        return
    takes = first is not None and first.kind in (first.POSITIONAL_ONLY, first.POSITIONAL_OR_KEYWORD)
    if first is None or not takes or (first.annotation is not first.empty and not _may_be_self(first, member.owner)):
        parameters = ", ".join(["self", *([str(first)] if first is not None else [])])
        raise member.wrong(f"{member.name} takes no self", f"Write def {member.name}({parameters}).")


def _may_be_self(parameter: inspect.Parameter, owner: type) -> bool:
    annotation = parameter.annotation
    known = annotation in (owner, typing.Self) or isinstance(annotation, typing.TypeVar)
    return parameter.name == "self" or known or str(annotation).strip("'\"") in (owner.__name__, "Self")


def _no_generator(member: Member) -> None:
    """A route may be a generator, because its caller waits for what comes; nothing else may."""
    if _yields(member) and not all(isinstance(mark, Serves) for mark in member.marks):
        raise member.wrong(
            "a function with `yield` cannot be an entry, except for a route",
            "Return a list, or send each part to a target.",
        )


def _is_durable(member: Member, mark: Continues) -> None:
    """What goes on with a run is read by the kind of service that has runs."""
    if not hasattr(member.owner, "__junctor_durable__"):
        raise member.wrong(f"@on_{mark.what} is for a conversation", "Derive the class from junctor.Conversation.")


def _required(signature: inspect.Signature) -> list[inspect.Parameter]:
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [
        parameter
        for parameter in signature.parameters.values()
        if parameter.default is inspect.Parameter.empty and parameter.kind not in variable
    ]


def _body(member: Member, signature: inspect.Signature) -> Any:
    """The declared type of the one parameter that takes the body."""
    required = _required(signature)
    first = "self, " if member.owner else ""
    example = f"def {member.name}({first}reading: Reading)"
    if len(required) != 1 or required[0].kind is inspect.Parameter.KEYWORD_ONLY:
        names = ", ".join(parameter.name for parameter in required) or "none"
        raise member.wrong(
            f"a handler takes exactly one parameter, the body, and this one takes {names}", f"Write {example}."
        )
    kind = required[0].annotation
    if kind is inspect.Parameter.empty:
        raise member.wrong(
            f"the parameter {required[0].name} has no type, so nothing says which messages it takes",
            f"Write for example {example}, or {required[0].name}: Any for all that no other handler takes.",
        )
    if kind is Message:
        raise member.wrong(
            "Message is the envelope, and a handler takes the body",
            f"Write {required[0].name}: Any or the class of the body; the envelope is self.message.",
        )
    if isinstance(kind, typing.TypeVar):
        raise member.wrong(f"the type {kind} is open", "Override the handler with the type of the body.")
    return kind


def _reply(signature: inspect.Signature) -> Any:
    kind = signature.return_annotation
    return None if kind in (inspect.Signature.empty, None, type(None)) else kind


def _needs_nothing(member: Member, signature: inspect.Signature) -> None:
    required = ", ".join(parameter.name for parameter in _required(signature))
    if required:
        raise member.wrong(
            f"a schedule is called without arguments, and this method needs {required}",
            "Remove the parameter or give it a default.",
        )


def _described(member: Member, signature: inspect.Signature) -> Call:
    """A stand-in whose signature has no ``self`` and only resolved types, alike for methods and functions."""

    def described(*args: Any, **kwargs: Any) -> Any:
        return member.function(*args, **kwargs)

    described.__name__ = member.name
    described.__qualname__ = member.function.__qualname__
    described.__module__ = member.function.__module__
    described.__doc__ = member.function.__doc__
    described.__signature__ = signature  # type: ignore[attr-defined]
    annotated = {name: p.annotation for name, p in signature.parameters.items() if p.annotation is not p.empty}
    if signature.return_annotation is not signature.empty:
        annotated["return"] = signature.return_annotation
    described.__annotations__ = annotated
    return described
