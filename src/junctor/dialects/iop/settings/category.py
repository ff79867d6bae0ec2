"""The groups in which the portal of InterSystems IRIS shows settings."""

from __future__ import annotations

from enum import StrEnum


class Category(StrEnum):
    """A group of settings."""

    INFO = "Info"
    BASIC = "Basic"
    CONNECTION = "Connection"
    ADDITIONAL = "Additional"
    ALERTING = "Alerting"
    DEV = "Dev"
