"""Adapters: services at the edges of a flow, configured without code.

Each is an ordinary :class:`~junctor.Service`. A flow file names it, ``adapter: file-in``; Python imports its class from
here. Names are loaded when they are first used: a node without adapters loads nothing of this, and one with a timer
loads no client of MQTT.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from junctor.adapters.base import Adapter as Adapter
    from junctor.adapters.base import Inbound as Inbound
    from junctor.adapters.base import Outbound as Outbound
    from junctor.adapters.command import Command as Command
    from junctor.adapters.file.inbound import FileIn as FileIn
    from junctor.adapters.file.outbound import FileOut as FileOut
    from junctor.adapters.http.inbound import HttpIn as HttpIn
    from junctor.adapters.http.outbound import HttpOut as HttpOut
    from junctor.adapters.mapping import Mapping as Mapping
    from junctor.adapters.mqtt.inbound import MqttIn as MqttIn
    from junctor.adapters.mqtt.outbound import MqttOut as MqttOut
    from junctor.adapters.sql.inbound import SqlIn as SqlIn
    from junctor.adapters.sql.outbound import SqlOut as SqlOut
    from junctor.adapters.timer import Timer as Timer

_SOURCES = {
    # Write an adapter
    "Adapter": "junctor.adapters.base",
    "Inbound": "junctor.adapters.base",
    "Outbound": "junctor.adapters.base",
    # Adapters by what they speak with
    "FileIn": "junctor.adapters.file.inbound",
    "FileOut": "junctor.adapters.file.outbound",
    "HttpIn": "junctor.adapters.http.inbound",
    "HttpOut": "junctor.adapters.http.outbound",
    "SqlIn": "junctor.adapters.sql.inbound",
    "SqlOut": "junctor.adapters.sql.outbound",
    "MqttIn": "junctor.adapters.mqtt.inbound",
    "MqttOut": "junctor.adapters.mqtt.outbound",
    # Inside a flow
    "Command": "junctor.adapters.command",
    "Timer": "junctor.adapters.timer",
    "Mapping": "junctor.adapters.mapping",
}

__all__ = (  # kept equal to _SOURCES by a test
    "Adapter",
    "Command",
    "FileIn",
    "FileOut",
    "HttpIn",
    "HttpOut",
    "Inbound",
    "Mapping",
    "MqttIn",
    "MqttOut",
    "Outbound",
    "SqlIn",
    "SqlOut",
    "Timer",
)


def __getattr__(name: str) -> Any:
    try:
        source = _SOURCES[name]
    except KeyError:
        raise AttributeError(f"module 'junctor.adapters' has no attribute {name!r}") from None
    value = getattr(import_module(source), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
