"""One item of a production that is being composed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from junctor.dialects.iop.definition import ItemDefinition, SettingValue
from junctor.dialects.iop.production.declared_settings import target_names
from junctor.dialects.iop.production.shape import item_shape
from junctor.dialects.iop.production.values import setting_text
from junctor.dialects.iop.settings import TargetSettingRef
from junctor.errors import nearest

if TYPE_CHECKING:
    from junctor.dialects.iop.production.production import Production

FIELDS = ("enabled", "pool_size", "category", "foreground", "comment", "log_trace_events", "schedule")
"""The plain attributes of an item."""


class ComponentRef:
    """An item of a :class:`Production`, as ``production.service(...)`` and the like return it.

    ``ref.Output`` is the target setting ``Output`` of its class, for :meth:`Production.connect`. All methods that
    change it return the item itself, so that they can be chained.
    """

    def __init__(self, production: Production, definition: ItemDefinition, kind: str) -> None:
        self.production = production
        self.name = definition.name
        self.class_name = definition.class_name
        self.adapter_class_name = definition.adapter_class_name
        self.kind = kind
        self.component: type | None = None
        self.adapter_class: type | None = None
        self.enabled = definition.enabled
        self.pool_size = definition.pool_size
        self.category = definition.category
        self.foreground = definition.foreground
        self.comment = definition.comment
        self.log_trace_events = definition.log_trace_events
        self.schedule = definition.schedule
        self.routes: list[str] = []
        self._settings = {(one.target, one.name): one.value for one in definition.settings}

    def __repr__(self) -> str:
        return f"<{self.kind} {self.name} [{self.class_name}]>"

    def __getattr__(self, name: str) -> TargetSettingRef:
        if name.startswith("_"):
            raise AttributeError(name)
        known = target_names(self.component)
        if self.component is not None and name not in known:
            hint = nearest(name, known).strip() or "Declare it in the class: Output = target()."
            raise AttributeError(f"{self.component.__qualname__} has no target setting {name}. {hint}")
        return TargetSettingRef(self.name, name)

    def target_setting(self, name: str) -> TargetSettingRef:
        """The target setting of this name, also where the item has another attribute of that name.

        :raises AttributeError: its class has none.
        """
        return self.__getattr__(name)

    # Attributes ---------------------------------------------------------------------------------------------------

    def pool(self, size: int) -> Self:
        """How many messages it handles at once. 0 of a process: as many as the actor pool of the production has."""
        self.pool_size = size
        return self

    def enable(self) -> Self:
        """Let it run."""
        self.enabled = True
        return self

    def disable(self) -> Self:
        """Let it stand still; its messages wait."""
        self.enabled = False
        return self

    def run_foreground(self, enabled: bool = True) -> Self:
        """Kept for IRIS, where it gives the item a terminal; without effect here."""
        self.foreground = enabled
        return self

    def trace(self, enabled: bool = True) -> Self:
        """Record what its ``trace()`` and debug lines say."""
        self.log_trace_events = enabled
        return self

    def schedule_on(self, schedule: str) -> Self:
        """When it runs, in the text of IRIS: ``START:*-*-*T08:00:00,STOP:*-*-*T18:00:00``."""
        self.schedule = schedule
        return self

    def comment_as(self, comment: str) -> Self:
        """A word to who reads the production."""
        self.comment = comment
        return self

    def category_as(self, category: str) -> Self:
        """The group that it is shown in; several have commas between them."""
        self.category = category
        return self

    # Settings -----------------------------------------------------------------------------------------------------

    @property
    def host_settings(self) -> dict[str, str]:
        """The settings of its class, as text."""
        return self._of("Host")

    @property
    def adapter_settings(self) -> dict[str, str]:
        """The settings of its adapter, as text."""
        return self._of("Adapter")

    def _of(self, target: str) -> dict[str, str]:
        return {name: value for (place, name), value in self._settings.items() if place == target}

    def host_setting(self, name: str, value: Any) -> Self:
        """Set one setting of its class; None removes it.

        :raises TypeError: the value has no text.
        """
        return self.other_setting("Host", name, value)

    setting = host_setting

    def adapter_setting(self, name: str, value: Any) -> Self:
        """Set one setting of its adapter; None removes it."""
        return self.other_setting("Adapter", name, value)

    def other_setting(self, target: str, name: str, value: Any) -> Self:
        """Set one setting of whatever ``target`` names; None removes it."""
        if value is None:
            self._settings.pop((target, name), None)
        else:
            self._settings[target, name] = setting_text(value.name if isinstance(value, ComponentRef) else value)
        return self

    def host_settings_update(self, settings: Mapping[str, Any]) -> Self:
        """Set several settings of its class; None removes one."""
        return self._update("Host", settings)

    settings_update = host_settings_update

    def adapter_settings_update(self, settings: Mapping[str, Any]) -> Self:
        """Set several settings of its adapter; None removes one."""
        return self._update("Adapter", settings)

    def _update(self, target: str, settings: Mapping[str, Any]) -> Self:
        for name, value in settings.items():
            self.other_setting(target, name, value)
        return self

    # Connections --------------------------------------------------------------------------------------------------

    def connect(self, setting: str | TargetSettingRef, target: Any, *, mode: str = "replace") -> Self:
        """Let a target setting name an item; see :meth:`Production.connect`."""
        name = setting if isinstance(setting, str) else setting.setting
        self.production.connect(self.target_setting(name), target, mode=mode)
        return self

    # As data, and running -----------------------------------------------------------------------------------------

    def to_definition(self) -> ItemDefinition:
        """The item as data."""
        return ItemDefinition(
            name=self.name,
            class_name=self.class_name,
            adapter_class_name=self.adapter_class_name,
            settings=tuple(SettingValue(name, value, target) for (target, name), value in self._settings.items()),
            **{field: getattr(self, field) for field in FIELDS},
        )

    def to_dict(self) -> dict[str, Any]:
        """The item in the shape of its XML."""
        return item_shape(self.to_definition())

    def inspect(self) -> dict[str, Any]:
        """What there is to know of it: its definition, its connections, and its state when it runs."""
        return self.production.inspect_component(self)

    def start(self) -> None:
        """Start it in the running production."""
        self.production.start_component(self)

    def stop(self) -> None:
        """Stop it in the running production; its messages wait."""
        self.production.stop_component(self)

    def restart(self) -> None:
        """Stop it and start it again, with the settings of now."""
        self.production.restart_component(self)

    def test(self, message: Any = None, *, classname: str | None = None, body: Any = None) -> Any:
        """Send it a message, and return what it answers; see :meth:`Production.test`."""
        return self.production.test(self, message, classname=classname, body=body)
