"""What the engine runs: a :class:`ServiceSpec`. The native ``Service`` class is its first producer, each dialect
another.

The engine never looks at a user's class. It calls ``build`` for an instance, ``bind`` for callables on that instance,
and the lifecycle callables. Constructors with arguments, constructors that are never called, factories: all that is
the producer's affair.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec

from junctor.core.condition import Condition
from junctor.core.facade import Facade
from junctor.core.policy import Policies
from junctor.core.port import Port
from junctor.core.retention import Retention
from junctor.messages import TypeRegistry

Call = Callable[..., Any]
Bind = Callable[[Any], Call]
"""From an instance to the callable that does the work: a bound method, a closure, a partial."""

Loop = Literal["shared", "own"]


class HandlerSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A queued entry: called with the decoded body.

    A message gets here by its type, or because it names the handler: then several handlers of a service may take the
    same type, and the first of them gets what names none; but one that is ``by_name`` gets only what names it.

    ``accepts`` is the body class, ``Any`` for every message that no other handler takes; ``replies`` the class of the
    return value, None when nothing comes back. ``blocking`` callables run in a thread, others are coroutine functions.
    ``subscribes`` marks a handler that also receives published events of its type, ``signal`` one for messages to a run
    that has begun.
    """

    name: str
    accepts: Any
    bind: Bind
    replies: Any = None
    blocking: bool = False
    subscribes: bool = False
    signal: bool = False
    by_name: bool = False
    doc: str = ""


class ScheduleSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A timed entry: called without arguments, one delivery a tick, no overlap with itself.

    Either ``every`` (seconds between starts; the first tick comes ``initial`` seconds after start) or ``cron`` (five
    fields, in time zone ``zone``). ``repeats``: a tick that returns True is followed by another one, a delivery of its
    own, as soon as the receivers of the service keep up, and after one interval at the latest. ``joins``: what a tick
    sends is accepted with its end, all or nothing; False accepts each send on its own, as a route does, so that what
    the code does next outside may rely on it.
    """

    name: str
    bind: Bind
    every: float | None = None
    cron: str | None = None
    zone: str | None = None
    initial: float = 0.0
    repeats: bool = False
    joins: bool = True
    blocking: bool = False
    doc: str = ""


class RouteSpec(msgspec.Struct, frozen=True, kw_only=True):
    """An HTTP entry: the caller waits for it.

    ``signature`` is a function whose parameters are bound from the request: without ``self``, with real types.
    ``streams`` says that it is a generator function: what it yields is sent as it comes. ``adaptive`` lets a blocking
    one that proves prompt be called on the event loop for GET and HEAD, which saves the way to a thread; it must not
    wait for the engine then. Where it is about to wait for another program, it is called once more in a thread.
    ``facade`` is for one that stands for routes of another system.
    """

    name: str
    method: str
    path: str
    bind: Bind
    signature: Call
    blocking: bool = False
    status: int = 200
    streams: bool = False
    adaptive: bool = False
    facade: Facade | None = None
    doc: str = ""


class SocketSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A WebSocket entry: called once a connection, with the socket and what else is bound from the handshake.

    ``signature`` as in :class:`RouteSpec`; ``socket`` names the parameter that takes the connection. ``accepts`` and
    ``sends`` are the types of the messages both ways, Any where nothing is declared.
    """

    name: str
    path: str
    bind: Bind
    signature: Call
    socket: str
    accepts: Any = Any
    sends: Any = Any
    doc: str = ""


class ActionSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A named call without a path of its own: ``POST /SERVICE/ACTION``, ``junctor call SERVICE ACTION``.

    ``signature`` as in :class:`RouteSpec`.
    """

    name: str
    bind: Bind
    signature: Call
    blocking: bool = False
    doc: str = ""


class TargetSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A declared outgoing port. ``request`` Any or a class, ``reply`` a class or None. ``rare``: one that is optional
    and mostly not connected, so that nothing is said of it."""

    name: str
    request: Any
    reply: Any = None
    optional: bool = False
    rare: bool = False


class Activity(msgspec.Struct, frozen=True, kw_only=True):
    """A lifecycle callable: ``bind`` to an instance, then call without arguments.

    ``cancel`` is for a ``main`` that never looks at ``stopping``: it is cancelled as soon as the service stops, instead
    of being waited for. ``patience`` is for a ``stop``: the seconds that it has whatever is left of the time in which
    the node stops.
    """

    bind: Bind
    blocking: bool = False
    cancel: bool = False
    patience: float = 1.0


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What ``build`` gets: the name in the flow, the resolved settings, the slot, and the port to the engine.

    ``slot`` counts instances from 0; only services with blocking handlers and a pool have more than one. ``policies``
    are those that the node handles its messages by; in a worker process, where it does not, the defaults.
    """

    flow: str
    service: str
    settings: Mapping[str, Any]
    port: Port
    slot: int = 0
    policies: Policies = Policies()


class ServiceSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One service of a flow, ready to run.

    ``start`` and ``stop`` run once an instance (``on_start``, ``on_stop``); ``main`` is the ``loop()`` of the first
    instance: called again whenever it returns, until the service stops; its exception is a failure of the service.
    ``types`` are body classes that its code sends, gets or answers without a handler or target that says so: where a
    handler takes Any, or a request names no class for its reply, a body of a known type becomes its object.
    ``runs`` says that it is a durable service: see :mod:`junctor.core.run`. Its key is that of runs, and a run that is
    begun is never handled by two deliveries at once. ``inner`` are its handlers that only itself and the engine
    address, by name: the ends of its requests, its timers. No sender finds them by a type.
    ``stateful`` says that its code uses persisted state, which needs a key when several deliveries run at once.
    ``loop`` "own" gives the service a thread with an event loop of its own. ``origin`` says where it was declared.
    ``resting`` says why it begins paused, empty for one that begins to work: nothing of it is started before somebody
    resumes it, and its messages wait. ``permanent`` says why no operator may pause it, empty for nearly every service.
    ``remark`` answers what is to be shown with its state while it runs, for its
    first instance, None where the node has none, and seconds since 1970; an empty text where there is nothing. It must
    be quick, and equal where it says the same.
    ``reads`` are the paths of files beside its code that it was made from: ``--reload`` looks at them, too.
    ``isolation`` "worker" runs it in worker processes; ``code`` is then the importable name that a worker builds
    the spec from.
    """

    name: str
    build: Callable[[Context], Any]
    dialect: str = "native"
    doc: str = ""
    origin: str = ""
    handlers: tuple[HandlerSpec, ...] = ()
    inner: tuple[HandlerSpec, ...] = ()
    schedules: tuple[ScheduleSpec, ...] = ()
    routes: tuple[RouteSpec, ...] = ()
    actions: tuple[ActionSpec, ...] = ()
    sockets: tuple[SocketSpec, ...] = ()
    targets: tuple[TargetSpec, ...] = ()
    types: tuple[Any, ...] = ()
    settings: Mapping[str, Any] = {}
    start: Activity | None = None
    stop: Activity | None = None
    main: Activity | None = None
    stateful: bool = False
    runs: Literal["", "workflow", "conversation"] = ""
    loop: Loop = "shared"
    resting: str = ""
    permanent: str = ""
    remark: Callable[[Any, float], str] | None = None
    reads: tuple[str, ...] = ()
    isolation: Literal["node", "worker"] = "node"
    code: str = ""
    policies: Policies = Policies()


@functools.lru_cache(maxsize=1024)
def service_name(name: str) -> str:
    """The name here of what another system calls ``name``: ``python-mybo`` for ``Python.MyBO``.

    Producers name their services with it, and look names of other systems up with it. A name of ours stays as it is.
    """
    made = re.sub(r"[^a-z0-9_-]+", "-", name.lower()).strip("-_")
    return made if made[:1].isalpha() else f"service-{made}".rstrip("-")


def service_address(flow: str, service: str) -> str:
    """The address of a service: ``flow/service``."""
    return f"{flow}/{service}"


class Wire(msgspec.Struct, frozen=True):
    """Where one connection of a target leads: an address, and the condition that a body must meet to go there."""

    to: str
    when: Condition | None = None


class ServicePlan(msgspec.Struct, frozen=True, kw_only=True):
    """A service with its connections: target name to the addresses it leads to, in the order of the flow."""

    spec: ServiceSpec
    connect: Mapping[str, tuple[Wire, ...]] = {}


class FlowPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A checked and wired flow: what ``flows/`` makes and the runtime takes."""

    name: str
    types: TypeRegistry
    services: tuple[ServicePlan, ...]
    retention: Retention = Retention()
