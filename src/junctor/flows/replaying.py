"""Histories of workflows against the code of a flow: whether that code still does what they say.

Nothing is run but the code of the workflows themselves, with the recorded inputs: no request leaves, no block of
``once`` is done, nothing is written. It is what Temporal's replayer does before a worker is deployed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec

from junctor.core.port import Link
from junctor.core.run import Run, Turn
from junctor.core.spec import Context, ServicePlan, Wire
from junctor.errors import Divergence, JunctorError, NoHandler, StoreDamaged, named
from junctor.flows.wiring import Wiring
from junctor.messages import TypeRegistry
from junctor.observe.frames import users_place
from junctor.services import spec_of
from junctor.services.alone import Alone

_LINE = re.compile(r" \((?P<place>[^()]+:\d+)\)$")

History = tuple[Run, Sequence[Turn]]

Result = Literal["ok", "diverges", "damaged", "missing", "skipped"]
"""``missing``: the flow has no such workflow. ``skipped``: there is nothing to compare, as with a conversation."""


class Verdict(msgspec.Struct, omit_defaults=True):
    """What became of one history. ``why`` tells how history and code part, ``place`` is the line of the code."""

    run: int
    service: str
    result: Result
    turns: int = 0
    key: str | None = None
    status: str = ""
    why: str = ""
    place: str = ""

    @property
    def is_well(self) -> bool:
        return self.result in ("ok", "skipped")


class Replayed(msgspec.Struct):
    """All histories of a replay."""

    verdicts: list[Verdict]

    @property
    def counts(self) -> Mapping[str, int]:
        """How many came to which result."""
        return Counter(verdict.result for verdict in self.verdicts)

    @property
    def wrong(self) -> list[Verdict]:
        return [verdict for verdict in self.verdicts if not verdict.is_well]

    def __str__(self) -> str:
        return "\n".join(
            f"run {one.run} of {one.service}: {one.why}{f' ({one.place})' if one.place else ''}" for one in self.wrong
        )


def replayed(wirings: Iterable[Wiring], histories: Iterable[History]) -> Iterator[Verdict]:
    """The verdict on each history, by the flows as they are now."""
    services = {
        f"{wiring.plan.name}/{service.spec.name}": Replayer(wiring.plan.name, wiring.plan.types, service)
        for wiring in wirings
        for service in wiring.plan.services
        if service.spec.runs
    }
    for run, turns in histories:
        replayer = services.get(run.service)
        yield _missing(run, services) if replayer is None else replayer.replay(run, turns)


def _missing(run: Run, services: Mapping[str, object]) -> Verdict:
    known = ", ".join(sorted(services)) or "none"
    return _verdict(run, "missing", f"the flow has no such workflow; it has: {known}")


def replayer_of(source: Any, flow: str = "flow") -> Replayer:
    """The replayer of a workflow class or object without a flow: its targets lead somewhere.

    :raises ConfigurationError: it is no workflow that can run.
    """
    spec = spec_of(source)
    somewhere = {target.name: (Wire(f"{flow}/{target.name}"),) for target in spec.targets}
    return Replayer(flow, TypeRegistry(), ServicePlan(spec=spec, connect=somewhere))


def left_out(run: Run) -> Verdict:
    """The verdict on a history whose sensitive values are not there."""
    return _verdict(run, "skipped", "sensitive values are left out: export it with --unmasked")


def _verdict(run: Run, result: Result, why: str = "", place: str = "") -> Verdict:
    return Verdict(run.seq, run.service, result, run.turns, run.key, run.status.name.lower(), why, place)


class Replayer:
    """Replays the runs of one service."""

    def __init__(self, flow: str, types: TypeRegistry, service: ServicePlan) -> None:
        self._runs = service.spec.runs
        self._director: Any = None
        self._build: Callable[[Context], Any] = service.spec.build
        self._context = Context(
            flow=flow,
            service=service.spec.name,
            settings=service.spec.settings,
            port=_Nowhere(service, types),
        )

    def replay(self, run: Run, turns: Sequence[Turn]) -> Verdict:
        if self._runs != "workflow":
            return _verdict(run, "skipped", "a conversation has no history to follow")
        if run.damaged:
            return _verdict(run, "damaged", "what is stored of it fails its checksum")
        self._director = self._director or self._build(self._context)
        try:
            _driven(self._director.replay(run, turns)).close()
        except StoreDamaged as error:
            return _verdict(run, "damaged", error.what)
        except (Divergence, NoHandler) as error:
            why, place = _parted(error.what)
            return _verdict(run, "diverges", why, place)
        except JunctorError as error:
            return _verdict(run, "diverges", f"the code now fails: {named(error)}", _place(error))
        except Exception as error:  # noqa: BLE001 - the code of the user may raise anything
            return _verdict(run, "diverges", f"the code now raises {named(error)}", _place(error))
        return _verdict(run, "ok")


def _parted(text: str) -> tuple[str, str]:
    """A text and the line of code at its end."""
    found = _LINE.search(text)
    return (text[: found.start()], found["place"]) if found is not None else (text, "")


def _place(error: Exception) -> str:
    place = users_place(error)
    return f"{place.file.rpartition('/')[2]}:{place.line}" if place is not None else ""


def _driven(replay: Coroutine[Any, Any, Any]) -> Any:
    """The result of a replay, without an event loop: all that it awaits is to let others go on."""
    try:
        while True:
            replay.send(None)
    except StopIteration as stop:
        return stop.value


class _Nowhere(Alone):
    """The port of a service that is replayed: its targets lead where the flow says, and nothing goes there."""

    def __init__(self, service: ServicePlan, types: TypeRegistry) -> None:
        super().__init__(service.spec.name)
        self._plan = service
        self._types = types

    def links(self, target: str) -> tuple[Link, ...]:
        spec = next((one for one in self._plan.spec.targets if one.name == target), None)
        if spec is None:
            return ()
        return tuple(self.link_to(wire.to, spec.request, spec.reply) for wire in self._plan.connect.get(target, ()))

    def link_to(self, service: str, request: Any, reply: Any = None, *, handler: str | None = None) -> Link:
        # What is sent stays here, whatever its type; replies of a history are read.
        replies = self._types.register(reply) if reply not in (None, Any) else None
        return Link(service, self._types.register(Any), replies, handler=handler or "")
