"""The services of a capture: their code, their settings without secrets, their policies and connections."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import msgspec

from junctor.core.spec import ServicePlan, service_address
from junctor.errors import JunctorError
from junctor.flows import Wiring
from junctor.flows.files.written import declared_of, flow_yaml
from junctor.node.capture.code import code_of
from junctor.node.capture.file import CapturedFlow, CapturedService, CapturedWay
from junctor.node.views.describe import ways_of
from junctor.observe.secrets import MASKED, mask
from junctor.settings import Secret


def captured_services(
    wirings: Sequence[Wiring], addresses: Collection[str], started: float
) -> Iterator[CapturedService]:
    """The services at these addresses, in the order of their flows.

    :param started: when the node started, in seconds since 1970.
    """
    for wiring in wirings:
        sources = {item.name: item.source for item in wiring.model.services}
        for plan in wiring.plan.services:
            address = service_address(wiring.plan.name, plan.spec.name)
            if address in addresses:
                yield _service(address, plan, sources.get(plan.spec.name, plan.spec), started)


def _service(address: str, plan: ServicePlan, source: Any, started: float) -> CapturedService:
    settings, hidden = settings_of(plan, source)
    return CapturedService(
        address=address,
        dialect=plan.spec.dialect,
        code=code_of(source, started),
        isolate=plan.spec.isolation,
        settings=settings,
        hidden=hidden,
        policies=_Redaction().redacted(plan.spec.policies),
        connections={
            name: [CapturedWay(way.to, way.when) for way in ways] for name, ways in ways_of(plan).items() if ways
        },
    )


def settings_of(plan: ServicePlan, source: Any) -> tuple[dict[str, Any], list[str]]:
    """The settings as JSON values, and the names of those that hold something secret: its place says ``***``."""
    declared = declared_of(source)
    hidden = {name for name, (setting, kind) in declared.items() if setting.hidden(kind)}
    shown: dict[str, Any] = {}
    for name, value in plan.spec.settings.items():
        if name in hidden:
            shown[name] = None if value is None else MASKED
            continue
        redaction = _Redaction()
        shown[name] = redaction.redacted(value)
        if redaction.found:
            hidden.add(name)
    return shown, sorted(hidden & shown.keys())


class _Redaction:
    """Values without what is secret in them; ``found`` tells that there was something."""

    def __init__(self) -> None:
        self.found = False

    def redacted(self, value: Any) -> Any:
        try:
            plain = msgspec.to_builtins(value, enc_hook=self._other)
        except Exception:  # noqa: BLE001 - of any class: it is shown as it can be
            plain = str(value)
        return self._masked(plain)

    def _other(self, value: Any) -> Any:
        if isinstance(value, Secret):
            self.found = True
            return MASKED
        return str(value)

    def _masked(self, value: Any) -> Any:
        if isinstance(value, str):
            text = mask(value)
            self.found = self.found or text != value
            return text
        if isinstance(value, dict):
            return {mask(str(name)): self._masked(part) for name, part in value.items()}
        if isinstance(value, list):
            return [self._masked(part) for part in value]
        return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def captured_flows(wirings: Sequence[Wiring], flows: Collection[str]) -> Iterator[CapturedFlow]:
    """The flows of these names as flow files, with references in the place of secrets."""
    for wiring in wirings:
        name = wiring.plan.name
        if name in flows:
            try:
                yield CapturedFlow(name, yaml=mask(flow_yaml(wiring)))
            except JunctorError as error:
                yield CapturedFlow(name, problem=mask(str(error)))
