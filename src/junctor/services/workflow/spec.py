"""From a workflow class to the spec of a durable service."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from functools import partial
from hashlib import blake2b
from typing import Any

import msgspec

from junctor.core.run import CANCEL, REPLIED, WOKEN
from junctor.core.spec import ActionSpec, Activity, HandlerSpec, ServiceSpec
from junctor.errors import ConfigurationError, nearest
from junctor.messages import TypeRegistry, type_name
from junctor.messages.types import is_body_class
from junctor.services.entries import Entries
from junctor.services.hints import class_annotations
from junctor.services.native import members
from junctor.services.service import Service
from junctor.services.workflow.director import Director
from junctor.services.workflow.plan import Begins, Plan, Takes

_UNFIT = {
    "schedules": "@every or @cron",
    "routes": "a route",
    "sockets": "a @websocket",
    "actions": "an @action",
    "start": "on_start",
    "stop": "on_stop",
    "main": "loop",
    "stateful": "self.state",
}


def durable(cls: type[Service], spec: ServiceSpec) -> ServiceSpec:
    """The spec of a workflow service: its messages go to a :class:`Director`.

    :raises ConfigurationError: the class has what a workflow cannot have.
    """
    entries = Entries()
    for member in members(cls):
        entries.add(member)
    _refuse(cls, spec, entries)
    plan = _plan(cls, spec, entries)
    return msgspec.structs.replace(
        spec,
        build=lambda context: Director(context, plan),
        handlers=(*_begins(spec, plan), *_signals(entries)),
        inner=tuple(_own()),
        actions=tuple(_query(query) for query in entries.queries),
        stop=Activity(bind=lambda director: director.stop),
        runs="workflow",
    )


def _refuse(cls: type, spec: ServiceSpec, entries: Entries) -> None:
    for field, written in _UNFIT.items():
        if getattr(spec, field):
            fix = "Put it into a Service beside it, which sends to the workflow."
            if field == "stateful":
                fix = "Use attributes: self.total = 0. A replay makes them again."
            if field == "actions":
                fix = "Mark it @query to tell about a run, or @signal to change one."
            raise ConfigurationError(f"a workflow cannot have {written}", where=cls.__name__, fix=fix)
    if not spec.handlers:
        raise ConfigurationError(
            "a workflow needs a handler",
            where=cls.__name__,
            fix="Write @handler above async def run(self, order: Order).",
        )
    for handler in spec.handlers:
        if handler.blocking:
            fix = f"Write async def {handler.name}(...); work that blocks goes into self.once(...)."
            raise ConfigurationError("a workflow is async", where=f"{cls.__name__}.{handler.name}", fix=fix)
    for handler in spec.handlers:
        _typed(cls, handler)
        _has_key(cls, handler, entries.keys.get(handler.name, ""))


def _has_key(cls: type, handler: HandlerSpec, key: str) -> None:
    """The key must be a field, where that can be told: a run without the key it should have is not found again."""
    field = key.partition(".")[0]
    if key and is_body_class(handler.accepts) and field not in class_annotations(handler.accepts):
        raise ConfigurationError(
            f"{type_name(handler.accepts)} has no field {field!r}, which is to be the key of the run",
            where=f"{cls.__name__}.{handler.name}",
            fix=nearest(field, class_annotations(handler.accepts)).strip() or None,
        )


def _typed(cls: type, handler: HandlerSpec) -> None:
    if handler.accepts is Any:
        raise ConfigurationError(
            "the history of a workflow needs types, and Any is none",
            where=f"{cls.__name__}.{handler.name}",
            fix="Give the parameter the class of the body.",
        )


def _plan(cls: type, spec: ServiceSpec, entries: Entries) -> Plan:
    types = TypeRegistry()
    for signal in entries.signals:
        _typed(cls, signal)
    replies = {each.name: types.register(each.reply) for each in spec.targets if each.reply not in (None, Any)}
    return Plan(
        spec.build,
        tuple(
            Begins(each.name, types.register(each.accepts), entries.keys.get(each.name, "")) for each in spec.handlers
        ),
        tuple(Takes(each.name, types.register(each.accepts)) for each in entries.signals),
        spec.targets,
        replies,
        code_of(cls),
    )


def code_of(cls: type) -> str:
    """A name for the source of the methods of a class, the same in each version of Python; empty without a source."""
    functions = [value for _, value in sorted(vars(cls).items()) if inspect.isfunction(value)]
    try:
        # One by one: for a whole class Python parses the whole file.
        text = "".join(inspect.getsource(function) for function in functions)
    except (OSError, TypeError):
        return ""
    return blake2b(text.encode(), digest_size=8).hexdigest()


def _begins(spec: ServiceSpec, plan: Plan) -> Iterable[HandlerSpec]:
    for handler, begins in zip(spec.handlers, plan.begins, strict=True):
        yield msgspec.structs.replace(handler, bind=_bound("begin", begins))


def _signals(entries: Entries) -> Iterable[HandlerSpec]:
    for signal in entries.signals:
        yield msgspec.structs.replace(
            signal, bind=_bound("signalled", signal.name), blocking=False, replies=None, signal=True
        )


def _own() -> Iterable[HandlerSpec]:
    yield HandlerSpec(name=REPLIED, accepts=Any, bind=lambda director: director.replied)
    yield HandlerSpec(name=WOKEN, accepts=Any, bind=lambda director: director.woken)
    yield HandlerSpec(name=CANCEL, accepts=Any, bind=_bound("cancelled", CANCEL))


def _query(query: ActionSpec) -> ActionSpec:
    return msgspec.structs.replace(query, bind=_bound("query", query.name), signature=_asked(query), blocking=False)


def _bound(entered: str, first: Any) -> Any:
    return lambda director: partial(getattr(director, entered), first)


def _asked(query: ActionSpec) -> Any:
    """The signature of a query: which run, and the parameters of the method."""

    def asked(*args: Any, **kwargs: Any) -> Any: ...

    own = inspect.signature(query.signature)
    run = inspect.Parameter("run", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=str)
    asked.__name__ = query.name
    asked.__doc__ = query.doc
    asked.__signature__ = own.replace(parameters=[run, *own.parameters.values()])  # type: ignore[attr-defined]
    asked.__annotations__ = {"run": str, **query.signature.__annotations__}
    return asked
