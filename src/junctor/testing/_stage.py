"""From a flow as it is written to the one that a test runs: what is replaced, left out, captured and made to fail."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from junctor.core.hop import current
from junctor.core.outcome import Park
from junctor.core.policy import Policies
from junctor.core.spec import Context, FlowPlan, HandlerSpec, ServicePlan, ServiceSpec, Wire, service_address
from junctor.errors import ConfigurationError, nearest
from junctor.flows import FlowModel, Item, Wiring, load, wire
from junctor.messages import Kind
from junctor.services import Service
from junctor.testing._faults import guarded
from junctor.testing._port import Captures, KitPort

if TYPE_CHECKING:
    from junctor.testing._faults import Faults

Testable = FlowModel | Service | type[Service] | types.ModuleType | str | Path
"""What a test can run: a flow, a service alone, a module with marked functions, or what ``junctor run`` takes."""

KIT = "testing"
"""The dialect of services that the kit adds to a flow."""

CAPTURED = "captured"
"""The name of the service that gets what is captured."""


def model_of(
    flow: Testable,
    settings: Mapping[str, Any],
    replace: Mapping[str, Any],
    without: Iterable[str],
    capture: Iterable[str],
) -> FlowModel:
    """The flow with its settings and replacements; targets that lead nowhere else lead to what captures.

    :raises ConfigurationError: a service or setting is not there.
    """
    alone = not isinstance(flow, FlowModel | str | Path)
    model = _model(flow).copied()
    items = {item.name: item for item in model.services}
    for name in (*replace, *without):
        _known(name, items, "replace" if name in replace else "without")
    for name, value in settings.items():
        service, dot, setting = name.partition(".")
        if not dot:
            raise ConfigurationError(f'"{name}" names no setting', where="set", fix='Write "service.setting".')
        item = items[_known(service, items, "set")]
        places = {**item.places, setting: f"set={{{name!r}: ...}}"}
        items[service] = msgspec.structs.replace(item, settings={**item.settings, setting: value}, places=places)
    for name, fake in replace.items():
        items[name] = _replaced(items[name], fake)
    model.put(*(_led(items, capture, alone) if alone or capture else items.values()))
    return model


def _led(items: dict[str, Item], capture: Iterable[str], alone: bool) -> Iterator[Item]:
    """The services, with what is captured from the start on connected to the service that captures."""
    specs = {name: item.spec() for name, item in items.items()}
    name = _free_name(specs)
    for service, item in items.items():
        named = {target for target in capture if target.startswith(f"{service}.")}
        led = {
            target.name: (Wire(name),)
            for target in specs[service].targets
            if f"{service}.{target.name}" in named or (alone and not target.optional)
        }
        yield msgspec.structs.replace(item, connect={**item.connect, **led})
    spec = _capturing(name, specs.values())
    yield Item(name=name, source=spec, policies=spec.policies)


def _model(flow: Testable) -> FlowModel:
    if isinstance(flow, FlowModel):
        return flow
    if isinstance(flow, str | Path):
        return load(str(flow))
    return FlowModel("test").add(flow)


def _known(name: str, items: Mapping[str, Any], where: str) -> str:
    if name not in items:
        raise ConfigurationError(f'there is no service "{name}"', where=where, fix=nearest(name, items).strip())
    return name


def _replaced(item: Item, fake: Any) -> Item:
    """A fake takes the place, name and policies of a service; its settings are its own, and so are its targets."""
    return msgspec.structs.replace(item, source=fake, settings={}, connect={}, places={}, isolate="node")


class Stage(msgspec.Struct):
    """A flow ready to run under test. ``specs`` by name, as written: before they were opened for the test."""

    wiring: Wiring
    specs: dict[str, ServiceSpec]
    left_out: frozenset[str]
    captured: str


def stage(model: FlowModel, without: Iterable[str], faults: Faults, captures: Captures) -> Stage:
    """Wire the flow and open it for the test.

    :raises ConfigurationError: the flow is wrong.
    """
    wiring = wire(model)
    flow = wiring.plan
    left_out = frozenset(without)
    specs = {service.spec.name: service.spec for service in flow.services}
    capturing = next((name for name, spec in specs.items() if spec.dialect == KIT), None)
    name = capturing or _free_name(specs)
    captured = service_address(flow.name, name)
    gone = {service_address(flow.name, service) for service in left_out}
    services = [
        ServicePlan(
            spec=_opened(service.spec, faults, captures),
            connect={target: _rerouted(wires, gone, captured) for target, wires in service.connect.items()},
        )
        for service in flow.services
        if service.spec.name not in left_out and service.spec.name != name
    ]
    specs.pop(name, None)
    services.append(ServicePlan(spec=_capturing(name, specs.values(), captures)))
    plan = FlowPlan(name=flow.name, types=flow.types, services=tuple(services))
    return Stage(msgspec.structs.replace(wiring, plan=plan), specs, left_out, captured)


def _rerouted(wires: tuple[Wire, ...], gone: set[str], captured: str) -> tuple[Wire, ...]:
    return tuple(msgspec.structs.replace(wire, to=captured) if wire.to in gone else wire for wire in wires)


def _opened(spec: ServiceSpec, faults: Faults, captures: Captures) -> ServiceSpec:
    build = spec.build

    def built(context: Context) -> Any:
        return build(msgspec.structs.replace(context, port=KitPort(context.port, captures)))

    return msgspec.structs.replace(guarded(spec, faults), build=built, policies=_without_jitter(spec.policies))


def _without_jitter(policies: Policies) -> Policies:
    """Waits are exactly what the policy says, so that a test can say when something happens."""
    replace = msgspec.structs.replace
    return replace(
        policies,
        retry=replace(policies.retry, jitter=0.0),
        hold=replace(policies.hold, jitter=0.0),
        restart=replace(policies.restart, jitter=0.0),
    )


def _free_name(taken: Mapping[str, Any]) -> str:
    return next(name for name in (CAPTURED, *(f"{CAPTURED}-{n}" for n in range(2, 99))) if name not in taken)


def _capturing(name: str, specs: Iterable[ServiceSpec], captures: Captures | None = None) -> ServiceSpec:
    """A service that takes what goes over captured targets: a handler for each target that there is."""
    captures = captures or Captures()
    targets = [f"{spec.name}.{target.name}" for spec in specs for target in spec.targets]
    handlers = tuple(
        HandlerSpec(name=target, accepts=Any, replies=Any, bind=_keeps(captures, target))
        for target in (*targets, "any")
    )
    return ServiceSpec(name=name, build=lambda context: None, handlers=handlers, dialect=KIT)


def _keeps(captures: Captures, target: str) -> Callable[[Any], Callable[[Any], Any]]:
    async def keep(body: Any) -> Any:
        hop = current.get()
        if hop is None or hop.kind is not Kind.REQUEST:
            return None
        answers, reply = captures.answer(target)
        if not answers:
            raise no_answer(target)
        if isinstance(reply, BaseException):
            raise reply
        return reply(body) if callable(reply) else reply

    return lambda instance: keep


def no_answer(target: str) -> Park:
    """The failure of a request over a captured target for which no reply was prepared."""
    return Park(f'a request over {target}, which is captured, has no reply: plant.capture("{target}", reply=...)')
