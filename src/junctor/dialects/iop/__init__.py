"""Interoperability on Python: programs written for ``iop``, or its older name ``grongier.pex``, run on this engine.

The names that they import are here, grouped by what is done with them, and loaded when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HERE = "junctor.dialects.iop"

_SOURCES = {
    # Write components
    "BusinessService": "components",
    "PollingBusinessService": "components",
    "BusinessProcess": "components",
    "BusinessOperation": "components",
    "InboundAdapter": "components",
    "OutboundAdapter": "components",
    "handler": "components",
    # Messages
    "Message": "messages",
    "PickleMessage": "messages",
    "PydanticMessage": "messages.models",
    "PydanticPickleMessage": "messages.models",
    # Settings
    "setting": "settings",
    "Setting": "settings",
    "Category": "settings",
    "controls": "settings",
    "target": "settings",
    "TargetSetting": "settings",
    "TargetSettingRef": "settings",
    # Productions
    "Production": "production",
    "ComponentRef": "production",
    "ComponentItem": "production",
    "ServiceItem": "production",
    "ProcessItem": "production",
    "OperationItem": "production",
    "Route": "production",
    "ProductionGraph": "production",
    "ProductionDiff": "production",
    "ProductionDiffEntry": "production",
    "ProductionValidationError": "production",
    "ProductionValidationIssue": "production",
    "ProductionValidationReport": "production",
    "ProductionValidationWarning": "production",
    # Run them, and call them from outside
    "Director": "director.director",
    "DirectorProtocol": "director.protocol",
    "Utils": "migration",
    "bind_component": "migration",
    "list_bindings": "migration",
    "register_component": "migration",
    "unbind_component": "migration",
    "unregister_component": "migration",
    # Not offered yet
    "DuplexService": "components",
    "DuplexProcess": "components",
    "DuplexOperation": "components",
    "PersistentMessage": "messages",
    "Model": "messages",
    "Field": "messages",
    "ProductionApplyResult": "production",
    "ProductionChangePlan": "production",
    "ProductionPlanOperation": "production",
    "ProductionVerifyResult": "production",
}

__all__ = tuple(sorted(_SOURCES))


def __getattr__(name: str) -> Any:
    try:
        source = _SOURCES[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    value = getattr(import_module(f"{_HERE}.{source}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
