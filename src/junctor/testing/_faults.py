"""Failures that a test injects, and the entries of services as they are run under test."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from junctor.core.spec import Activity, Bind, Call, ServiceSpec
from junctor.errors import ConfigurationError, nearest
from junctor.runtime.pending import Settled

When = Callable[..., bool]

LIFE = {"on_start": "start", "on_stop": "stop", "loop": "main"}
"""Lifecycle callables by the names that users give them."""


class Fault:
    """A failure to come. ``left`` is how often it will still be raised, None for always; ``raised`` how often it
    was."""

    def __init__(self, place: str, error: BaseException, times: int | None, when: When | None) -> None:
        self.place = place
        self.error = error
        self.left = times
        self.raised = 0
        self._when = when

    def meets(self, args: tuple[Any, ...]) -> bool:
        return self.left != 0 and (self._when is None or self._when(*args))

    def fire(self) -> None:
        if self.left is not None:
            self.left -= 1
        self.raised += 1
        # Another traceback each time, or it would grow with each raise.
        raise self.error.with_traceback(None)

    def __str__(self) -> str:
        times = "" if self.left is None else f", {self.left} more {'time' if self.left == 1 else 'times'}"
        return f"{self.place}: {self.error!r}{times}"


class Faults:
    """The failures that wait, by ``service`` (any of its handlers) or ``service.entry``."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self.dead = False

    def add(self, fault: Fault) -> None:
        self._waiting.append(fault)

    def check(self, service: str, entry: str, handler: bool, args: tuple[Any, ...]) -> None:
        """Raise what waits for this entry. Called in whatever thread the entry runs in."""
        for fault in self._waiting:
            if (fault.place == f"{service}.{entry}" or (handler and fault.place == service)) and fault.meets(args):
                fault.fire()

    @contextlib.contextmanager
    def dying(self) -> Iterator[None]:
        """Inside the node is killed: nothing begins any more, ``on_stop`` neither."""
        self.dead = True
        try:
            yield
        finally:
            self.dead = False

    def unused(self) -> list[Fault]:
        """Those that were to be raised so many times, or at all, and were not."""
        return [fault for fault in self._waiting if fault.left or (fault.left is None and not fault.raised)]

    def raised(self, service: str, entry: str) -> bool:
        return any(fault.raised for fault in self._waiting if fault.place in (service, f"{service}.{entry}"))

    def raised_in(self, service: str) -> bool:
        """Whether one was raised in a handler or another entry of the service."""
        return any(fault.raised for fault in self._waiting if fault.place.partition(".")[0] == service)


class Guarded:
    """An entry that looks for injected failures before it runs."""

    def __init__(self, faults: Faults, service: str, entry: str, handler: bool, call: Call) -> None:
        self._faults = faults
        self._service = service
        self._entry = entry
        self._handler = handler
        self._call = call
        # What names a handler by its code finds the user's.
        self.__code__ = getattr(call, "__code__", None)
        self.__wrapped__ = call
        self.__name__ = entry

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._faults.dead:
            return Settled(None)
        self._faults.check(self._service, self._entry, self._handler, args)
        return self._call(*args, **kwargs)


def guarded(spec: ServiceSpec, faults: Faults) -> ServiceSpec:
    """The spec with all its entries open for failures. A service in worker processes is out of reach."""
    if spec.isolation == "worker":
        return spec

    def bind(entry: str, original: Bind, handler: bool = False) -> Bind:
        def bound(instance: Any) -> Call:
            call = original(instance)
            if inspect.isasyncgenfunction(call) or inspect.isgeneratorfunction(call):
                return call
            return Guarded(faults, spec.name, entry, handler, call)

        return bound

    def each(entries: Iterable[Any], handler: bool = False) -> tuple[Any, ...]:
        return tuple(msgspec.structs.replace(entry, bind=bind(entry.name, entry.bind, handler)) for entry in entries)

    def life(name: str) -> Activity | None:
        activity: Activity | None = getattr(spec, LIFE[name])
        return activity and msgspec.structs.replace(activity, bind=bind(name, activity.bind))

    return msgspec.structs.replace(
        spec,
        handlers=each(spec.handlers, handler=True),
        inner=each(spec.inner, handler=True),
        schedules=each(spec.schedules),
        routes=each(spec.routes),
        actions=each(spec.actions),
        start=life("on_start"),
        stop=life("on_stop"),
        main=life("loop"),
    )


def checked_place(place: str, specs: dict[str, ServiceSpec]) -> str:
    """``service`` or ``service.entry``, when there is one.

    :raises ConfigurationError: there is none, with the nearest; or it runs in a worker process.
    """
    service, dot, entry = place.partition(".")
    spec = specs.get(service)
    if spec is None:
        raise ConfigurationError(
            f'there is no service "{service}"', where=f'fail("{place}")', fix=nearest(service, specs)
        )
    handlers = [handler.name for handler in (*spec.handlers, *spec.inner)]
    entries: tuple[Any, ...] = (*spec.schedules, *spec.routes, *spec.actions)
    others = [each.name for each in entries]
    others += [name for name, field in LIFE.items() if getattr(spec, field) is not None]
    if dot and entry not in (*handlers, *others):
        fix = nearest(entry, [*handlers, *others]).strip()
        raise ConfigurationError(f'{service} has no entry "{entry}"', where=f'fail("{place}")', fix=fix)
    if not dot and not handlers:
        fix = f"Name one of its entries: {', '.join(f'{service}.{other}' for other in others)}."
        raise ConfigurationError(f"{service} has no handler", where=f'fail("{place}")', fix=fix)
    if spec.isolation == "worker":
        raise ConfigurationError(
            f"{service} runs in a worker process, out of reach",
            where=f'fail("{place}")',
            fix='Let the test run it in the node: isolate="node".',
        )
    return place
