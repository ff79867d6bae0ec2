"""The attributes of a production: its name, its pools, its times, whom its alerts go to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

from junctor.dialects.iop.definition import SettingValue
from junctor.dialects.iop.production.values import setting_text

_WORDS = {
    "shutdown_timeout": ("ShutdownTimeout", 120),
    "update_timeout": ("UpdateTimeout", 10),
    "alert_notification_manager": ("AlertNotificationManager", ""),
    "alert_notification_operation": ("AlertNotificationOperation", ""),
    "alert_notification_recipients": ("AlertNotificationRecipients", ""),
    "alert_action_window": ("AlertActionWindow", 60),
}
"""Attributes that are settings of the production, with their names in IRIS and their defaults."""

PLAIN = ("testing_enabled", "log_general_trace_events", "actor_pool_size", "description")


class Attributes:
    """The part of a :class:`Production` that is not about items."""

    name: str = ""
    testing_enabled: bool = False
    log_general_trace_events: bool = False
    actor_pool_size: int = 2
    description: str = ""
    shutdown_timeout: float = 120
    update_timeout: float = 10
    alert_notification_manager: str = ""
    alert_notification_operation: str = ""
    alert_notification_recipients: str = ""
    alert_action_window: int = 60

    def __init__(
        self,
        name: str | None = None,
        *,
        testing_enabled: bool | None = None,
        log_general_trace_events: bool | None = None,
        actor_pool_size: int | None = None,
        description: str | None = None,
        shutdown_timeout: float | None = None,
        update_timeout: float | None = None,
        alert_notification_manager: str | None = None,
        alert_notification_operation: str | None = None,
        alert_notification_recipients: str | None = None,
        alert_action_window: int | None = None,
        namespace: str | None = None,
        director: Any = None,
    ) -> None:
        given = {word: value for word, value in locals().items() if word in (*PLAIN, *_WORDS) and value is not None}
        self.name = name or type(self).name
        if not str(self.name).strip():
            raise ValueError('a production needs a name, as in Production("Demo.Production")')
        for word, value in given.items():
            setattr(self, word, value)
        self.namespace = namespace
        self._director = director
        self._settings: dict[tuple[str, str], str] = {}
        self._begin()

    def _begin(self) -> None:
        """What else a new production needs."""

    # Fluent -------------------------------------------------------------------------------------------------------

    def testing(self, enabled: bool = True) -> Self:
        """Allow test messages."""
        self.testing_enabled = enabled
        return self

    def tracing(self, enabled: bool = True) -> Self:
        """Record the trace lines of the production itself."""
        self.log_general_trace_events = enabled
        return self

    def actor_pool(self, size: int) -> Self:
        """How many messages the processes with pool size 0 handle at once, together."""
        self.actor_pool_size = size
        return self

    def describe(self, text: str) -> Self:
        """What it is for."""
        self.description = text
        return self

    def timeouts(self, shutdown: float | None = None, update: float | None = None) -> Self:
        """Seconds that a stop and an update wait for what is being handled."""
        return self._set(shutdown_timeout=shutdown, update_timeout=update)

    def alerting(
        self,
        manager: str | None = None,
        operation: str | None = None,
        recipients: str | None = None,
        action_window: int | None = None,
    ) -> Self:
        """Where alerts go, as in IRIS."""
        return self._set(
            alert_notification_manager=manager,
            alert_notification_operation=operation,
            alert_notification_recipients=recipients,
            alert_action_window=action_window,
        )

    def in_namespace(self, namespace: str) -> Self:
        """The namespace that the methods which run it mean."""
        self.namespace = namespace
        return self

    def with_director(self, director: Any) -> Self:
        """What the methods which run it ask."""
        self._director = director
        return self

    def _set(self, **values: Any) -> Self:
        for word, value in values.items():
            if value is not None:
                setattr(self, word, value)
        return self

    def setting(self, name: str, value: Any, target: str = "Host") -> Self:
        """Set a setting of the production itself; None removes it."""
        word = next((word for word, (known, _) in _WORDS.items() if known == name and target == "Host"), "")
        if value is None:
            self._settings.pop((target, name), None)
        else:
            self._settings[target, name] = setting_text(value)
        if word:
            setattr(self, word, _as_written(self._settings.get((target, name)), _WORDS[word][1]))
        return self

    def production_settings(self) -> tuple[SettingValue, ...]:
        """The settings of the production itself. An attribute with its default is among them only if it was set as a
        setting, so that what is read and written again stays the same."""
        settings = dict(self._settings)
        for word, (name, default) in _WORDS.items():
            written = settings.get(("Host", name))
            if _as_written(written, default) != getattr(self, word):
                settings["Host", name] = setting_text(getattr(self, word))
        return tuple(SettingValue(name, value, target) for (target, name), value in settings.items())

    def _read_settings(self, settings: Iterable[SettingValue]) -> None:
        for one in settings:
            self.setting(one.name, one.value, one.target)

    def plain_attributes(self) -> dict[str, Any]:
        """Those that are attributes of a definition as well."""
        return {word: getattr(self, word) for word in PLAIN}


def _as_written(text: str | None, default: Any) -> Any:
    """The value of an attribute from its text; the default where there is none, or it is no number."""
    if text is None or isinstance(default, str):
        return default if text is None else text
    try:
        return int(text)
    except ValueError:
        try:
            return float(text)
        except ValueError:
            return default
