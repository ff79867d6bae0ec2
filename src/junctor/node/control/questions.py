"""What clients ask a node, defined once for the blocking and the async one.

An operation is defined as a function from its arguments to a :class:`Question`. The clients make a method of it::

    class NodeClient:
        send = blocking(sending.send)  # (self, service, body, ...) -> Receipt


    class AsyncNodeClient:
        send = awaited(sending.send)  # the same, awaited
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar

T = TypeVar("T")
P = ParamSpec("P")


@dataclass(frozen=True)
class Question(Generic[T]):
    """An operation of the node's table with its arguments, and what its answer becomes.

    :param kind: the class of the answer.
    :param follow: what is asked next after an answer; None where that was the last one.
    """

    operation: str
    arguments: Mapping[str, Any]
    kind: Any = Any
    follow: Callable[[T], Question[T] | None] = lambda answer: None


class Asks(Protocol):
    """A client that asks and waits."""

    def ask(self, operation: str, kind: Any = Any, /, patience: float | None = None, **arguments: Any) -> Any: ...


class AsksLater(Protocol):
    """A client whose answers are awaited."""

    async def ask(self, operation: str, kind: Any = Any, /, **arguments: Any) -> Any: ...


def blocking(define: Callable[P, Question[T]]) -> Callable[Concatenate[Asks, P], T]:
    """A method that asks and returns the answer."""

    @functools.wraps(define)
    def method(self: Asks, /, *args: P.args, **named: P.kwargs) -> T:
        question: Question[T] | None = define(*args, **named)
        while question is not None:
            answer: T = self.ask(question.operation, question.kind, **question.arguments)
            question = question.follow(answer)
        return answer

    return _signed(method, define)


def awaited(define: Callable[P, Question[T]]) -> Callable[Concatenate[AsksLater, P], Coroutine[Any, Any, T]]:
    """The same for the async client."""

    @functools.wraps(define)
    async def method(self: AsksLater, /, *args: P.args, **named: P.kwargs) -> T:
        question: Question[T] | None = define(*args, **named)
        while question is not None:
            answer: T = await self.ask(question.operation, question.kind, **question.arguments)
            question = question.follow(answer)
        return answer

    return _signed(method, define)


F = TypeVar("F", bound=Callable[..., Any])


def _signed(method: F, define: Callable[..., Any]) -> F:
    """The method with the signature that people see: it has ``self``, and returns the answer."""
    signature = inspect.signature(define)
    returned = str(signature.return_annotation).removeprefix("Question[").removesuffix("]")
    parameters = list(signature.parameters.values())
    own = inspect.Parameter("self", min(parameters[0].kind, inspect.Parameter.POSITIONAL_OR_KEYWORD))
    whole = signature.replace(parameters=[own, *parameters], return_annotation=returned)
    method.__signature__ = whole  # type: ignore[attr-defined]
    method.__annotations__ = {**define.__annotations__, "return": returned}
    return method


def given(**arguments: Any) -> dict[str, Any]:
    """The arguments that are not None: the node has its own defaults."""
    return {name: value for name, value in arguments.items() if value is not None}


def chosen(filter: Mapping[str, Any]) -> dict[str, Any]:
    """The same of a filter, in which ``status`` may be one or several."""
    found = given(**filter)
    return found | {"status": [found["status"]]} if isinstance(found.get("status"), str) else found
