"""The topics of Azure IoT Hub (Microsoft: *Communicate with an IoT hub using the MQTT protocol*)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote

TWIN_ANSWERS = "$iothub/twin/res/#"
DESIRED_CHANGES = "$iothub/twin/PATCH/properties/desired/#"
METHODS = "$iothub/methods/POST/#"

_TWIN_ANSWER = re.compile(r"\$iothub/twin/res/(\d{3})/\?(.*)", re.DOTALL)
_METHOD = re.compile(r"\$iothub/methods/POST/([^/]+)/\?(.*)", re.DOTALL)
_VERSION = re.compile(r"[0-9]{1,19}")
_DESIRED = "$iothub/twin/PATCH/properties/desired/"


@dataclass(frozen=True)
class TwinAnswer:
    """An answer about the twin, to the request with this id."""

    status: int
    request: str


@dataclass(frozen=True)
class DesiredChange:
    """A change of the desired properties, which makes this version of them."""

    version: int


@dataclass(frozen=True)
class Method:
    """A direct method is called; the answer names the request."""

    name: str
    request: str


@dataclass(frozen=True)
class ToDevice:
    """A cloud-to-device message with its properties; names of the hub's own begin with ``$.``."""

    properties: Mapping[str, str]


Heard = TwinAnswer | DesiredChange | Method | ToDevice


def read(topic: str, device: str) -> Heard | None:
    """What a topic means that something has arrived under; None for one that the hub does not have."""
    if found := _TWIN_ANSWER.fullmatch(topic):
        return TwinAnswer(int(found[1]), _fields(found[2]).get("$rid", ""))
    if found := _METHOD.fullmatch(topic):
        return Method(found[1], _fields(found[2]).get("$rid", ""))
    if topic.startswith(_DESIRED):
        version = _fields(topic[len(_DESIRED) :]).get("$version", "")
        return DesiredChange(int(version) if _VERSION.fullmatch(version) else 0)
    start = f"devices/{device}/messages/devicebound"
    if topic == start or topic.startswith(f"{start}/"):
        return ToDevice(_fields(topic[len(start) + 1 :]))
    return None


def subscriptions(device: str) -> list[str]:
    """All that a device subscribes to."""
    return [TWIN_ANSWERS, DESIRED_CHANGES, METHODS, f"devices/{device}/messages/devicebound/#"]


def telemetry(device: str, properties: Mapping[str, str]) -> str:
    """Where a message to the hub goes, with its properties."""
    bag = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in properties.items())
    return f"devices/{device}/messages/events/{bag}"


def get_twin(request: str) -> str:
    """Where the twin is asked for."""
    return f"$iothub/twin/GET/?$rid={request}"


def report(request: str) -> str:
    """Where reported properties go."""
    return f"$iothub/twin/PATCH/properties/reported/?$rid={request}"


def method_answer(status: int, request: str) -> str:
    """Where the answer of a direct method goes."""
    return f"$iothub/methods/res/{status}/?$rid={quote(request, safe='')}"


def _fields(text: str) -> dict[str, str]:
    """Names and values of a query or a property bag; a plus is one."""
    parts = (part.partition("=") for part in text.removeprefix("?").split("&") if part)
    return {unquote(name): unquote(value) for name, _, value in parts}
