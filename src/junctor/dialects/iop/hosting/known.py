"""The settings that every item has in InterSystems IRIS, beside those of its class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from junctor.dialects.iop.settings.reading import TEXT
from junctor.settings import Setting, setting

_FIELDS: dict[str, tuple[str, type, Any, str]] = {
    "PoolSize": ("pool_size", int, 1, "Messages that are handled at once."),
    "Schedule": ("schedule", str, "", "When the item works: START:*-*-*T08:00:00,STOP:*-*-*T18:00:00."),
    "LogTraceEvents": ("log_trace_events", bool, False, "Whether the lines of trace() are kept."),
    "Foreground": ("foreground", bool, False, "Without meaning here."),
    "Category": ("category", str, "", "For people."),
    "Comment": ("comment", str, "", "For people."),
}

FIELDS: Mapping[str, str] = {name: field for name, (field, *_) in _FIELDS.items()}
"""The settings that are fields of an :class:`~junctor.dialects.iop.definition.ItemDefinition`."""

_KNOWN: dict[str, tuple[type, Any, dict[str, Any], str]] = {
    "RetryInterval": (float, 5.0, {"gt": 0}, "Seconds between two attempts."),
    "FailureTimeout": (float, 15.0, {"ge": -1}, "Seconds for which attempts go on; -1 for ever."),
    "ReplyCodeActions": (str, "", {}, "What follows from an error: E*timeout=R,E=S."),
    "ThrottleDelay": (float, 0.0, {"ge": 0}, "Milliseconds of rest after each message."),
    "CallInterval": (float, 5.0, {"gt": 0}, "Seconds between two calls of an inbound adapter."),
    "KeepaliveInterval": (float, 0.0, {"ge": 0}, "Seconds between two calls of on_keepalive; 0 for none."),
    "AlertOnError": (bool, False, {}, "Whether each error is told to Ens.Alert."),
    "AlertRetryGracePeriod": (float, 0.0, {"ge": 0}, "Seconds of attempts before an error is told."),
    "QueueCountAlert": (int, 0, {"ge": 0}, "Waiting messages that are told of; 0 for none."),
    "QueueWaitAlert": (float, 0.0, {"ge": 0}, "Seconds of waiting that are told of; 0 for none."),
    "InactivityTimeout": (float, 0.0, {"ge": 0}, "Seconds without a message that are told of; 0 for none."),
}

_IGNORED = ("AlertGroups", "ArchiveIO", "BusinessPartner", "GenerateSuperSessionID", "SendSuperSession")
"""They are accepted, so that a definition can be taken as it is, and mean nothing here."""


def known_settings() -> dict[str, tuple[Setting, Any]]:
    """Name to declaration and type."""
    found: dict[str, tuple[Setting, Any]] = {}
    for name, (_, kind, default, doc) in _FIELDS.items():
        bounds: dict[str, Any] = {"ge": 0, "le": 1024} if name == "PoolSize" else {}
        found[name] = (setting(default, doc=doc, **bounds), kind)
    for name, (kind, default, bounds, doc) in _KNOWN.items():
        found[name] = (setting(default, doc=doc, **bounds), kind)
    for name in (*_IGNORED, TEXT):
        found[name] = (setting("", doc="Without meaning here." if name in _IGNORED else "Lines name=value."), str)
    return found


KNOWN: Mapping[str, tuple[Setting, Any]] = known_settings()
