"""Items and connections: the part of a production that is composed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Self, cast

from junctor.dialects.iop.definition import ItemDefinition
from junctor.dialects.iop.messages.kinds import is_message_class
from junctor.dialects.iop.production import connections
from junctor.dialects.iop.production.attributes import Attributes
from junctor.dialects.iop.production.component import FIELDS, ComponentRef
from junctor.dialects.iop.production.graph import GraphEdge
from junctor.dialects.iop.production.items import ComponentItem, declared_items
from junctor.dialects.iop.production.kinds import UNKNOWN, automatic_name, checked_adapter, checked_kind
from junctor.dialects.iop.production.values import setting_texts, setting_values
from junctor.dialects.iop.settings import TargetSettingRef
from junctor.errors import nearest
from junctor.messages import type_name

if TYPE_CHECKING:
    from junctor.dialects.iop.production.production import Production


class Composition(Attributes):
    """The part of a :class:`Production` that is about its items, and who sends to whom."""

    def _begin(self) -> None:
        super()._begin()
        self._items: dict[str, ComponentRef] = {}
        self._messages: dict[str, type] = {}
        for item in declared_items(type(self)):
            self.add_component(item)

    def __repr__(self) -> str:
        return f"<Production {self.name}: {len(self._items)} items>"

    # Items --------------------------------------------------------------------------------------------------------

    def service(self, name_or_cls: str | type, cls: type | None = None, **options: Any) -> ComponentRef:
        """Add a business service; the options are those of :meth:`component`, without ``kind``."""
        return self._add(name_or_cls, cls, "service", **options)

    def process(self, name_or_cls: str | type, cls: type | None = None, **options: Any) -> ComponentRef:
        """Add a business process; the options are those of :meth:`component`, without ``kind``."""
        return self._add(name_or_cls, cls, "process", **options)

    def operation(self, name_or_cls: str | type, cls: type | None = None, **options: Any) -> ComponentRef:
        """Add a business operation; the options are those of :meth:`component`, without ``kind``."""
        return self._add(name_or_cls, cls, "operation", **options)

    def component(
        self, name_or_cls: str | type, cls: type | None = None, *, kind: str = UNKNOWN, **options: Any
    ) -> ComponentRef:
        """Add an item.

        :param name_or_cls: its name; or its class, whose name it has then.
        :param cls: its class, unless ``class_name`` names one that is registered elsewhere.
        :param kind: "service", "process" or "operation"; that of the class by default.
        :param class_name: the name that the class is registered under, ``Python.module.Class`` by default.
        :param adapter_class: the class of its adapter, registered under ``adapter_class_name``.
        :param enabled: whether it runs.
        :param pool_size: how many messages it handles at once.
        :param category: the group that it is shown in.
        :param foreground: kept for IRIS, without effect.
        :param comment: a word to who reads the production.
        :param log_trace_events: record what its ``trace()`` and debug lines say.
        :param schedule: when it runs, in the text of IRIS.
        :param settings: of its class, by name.
        :param adapter_settings: of its adapter, by name.
        :raises ValueError: there is an item of this name.
        :raises TypeError: the class is of another kind; there is no such option.
        """
        return self._add(name_or_cls, cls, kind, **options)

    def _add(
        self,
        name_or_cls: str | type,
        cls: type | None,
        kind: str,
        *,
        class_name: str = "",
        adapter_class: type | None = None,
        adapter_class_name: str = "",
        enabled: bool = True,
        pool_size: int = 1,
        category: str = "",
        foreground: bool = False,
        comment: str = "",
        log_trace_events: bool = False,
        schedule: str = "",
        settings: Mapping[str, Any] | None = None,
        adapter_settings: Mapping[str, Any] | None = None,
    ) -> ComponentRef:
        if isinstance(name_or_cls, type):
            cls, name = name_or_cls, name_or_cls.__name__
        else:
            name = name_or_cls
        kind = checked_kind(cls, kind)
        definition = ItemDefinition(
            name=name,
            class_name=class_name or (automatic_name(cls) if cls is not None else name),
            adapter_class_name=adapter_class_name or (automatic_name(adapter_class) if adapter_class else ""),
            enabled=enabled,
            pool_size=pool_size,
            category=category,
            foreground=foreground,
            comment=comment,
            log_trace_events=log_trace_events,
            schedule=schedule,
            settings=(
                *setting_values(setting_texts(settings, name), "Host"),
                *setting_values(setting_texts(adapter_settings, name), "Adapter"),
            ),
        )
        ref = ComponentRef(cast("Production", self), definition, kind)
        ref.component, ref.adapter_class = cls, checked_adapter(adapter_class)
        return self._put(ref)

    def _put(self, ref: ComponentRef) -> ComponentRef:
        if not str(ref.name).strip():
            raise ValueError(f"{self.name}: an item needs a name")
        if ref.name in self._items:
            raise ValueError(f"{self.name} has an item {ref.name} already; give this one another name")
        self._items[ref.name] = ref
        return ref

    def add_component(self, item: ComponentItem) -> ComponentRef:
        """Add an item that was declared as :class:`ServiceItem` and the like. Its routes may name later ones."""
        ref = self._add(
            item.title,
            item.component,
            item.kind,
            class_name=item.class_name,
            adapter_class=item.adapter_class,
            adapter_class_name=item.adapter_class_name,
            settings={**(item.settings or {}), **(item.host_settings or {})},
            adapter_settings=item.adapter_settings,
            **{field: getattr(item, field) for field in FIELDS},
        )
        for target, settings in (item.other_settings or {}).items():
            for name, value in settings.items():
                ref.other_setting(target, name, value)
        for route in item.routes:
            self.connect(ref.target_setting(route.setting), route.targets)
        return ref

    def update_component(self, item: str | ComponentRef, **changes: Any) -> ComponentRef:
        """Change an item: the options of :meth:`component`. In ``settings`` and ``adapter_settings`` None removes one,
        and what is not named stays.

        :raises ValueError: there is no such item.
        :raises TypeError: there is no such option.
        """
        ref = self.item(item)
        settings, adapter = changes.pop("settings", {}), changes.pop("adapter_settings", {})
        if unknown := changes.keys() - {*FIELDS, "class_name", "adapter_class_name"}:
            word = min(unknown)
            raise TypeError(f"an item has no option {word}. {nearest(word, [*FIELDS, 'settings', 'class_name'])}")
        for word, value in changes.items():
            setattr(ref, word, value)
        return ref.host_settings_update(settings).adapter_settings_update(adapter)

    def delete_component(self, item: str | ComponentRef) -> None:
        """Remove an item. Connections that lead to it stay, and :meth:`validate` tells them.

        :raises ValueError: there is no such item.
        """
        del self._items[self.item(item).name]

    @property
    def items(self) -> tuple[ComponentRef, ...]:
        """All items, in the order in which they were added."""
        return tuple(self._items.values())

    def item(self, name: str | ComponentRef) -> ComponentRef:
        """The item of this name.

        :raises ValueError: there is none.
        """
        found = self._items.get(connections.name_of(self, name))
        if found is None:
            raise ValueError(f"{self.name} has no item {name}. {nearest(str(name), self._items)}".rstrip())
        return found

    component_ref = get_component = item

    # Connections --------------------------------------------------------------------------------------------------

    def connect(self, source: TargetSettingRef | str, target: Any, *, mode: str = "replace") -> Self:
        """Let a target setting lead to an item.

        :param source: ``ref.Output``, or its text ``"Item.Output"``.
        :param target: an item, its name, or several of them.
        :param mode: "replace" what it leads to, "add" to it, "remove" from it.
        :raises ValueError: there is no such item or setting; the target is an item of another production.
        """
        connections.connect(self, source, target, mode)
        return self

    def disconnect(self, source: TargetSettingRef | str) -> Self:
        """Let a target setting lead nowhere.

        :raises ValueError: there is no such item.
        """
        ref, setting = connections.source_of(self, source)
        ref.other_setting("Host", setting, None)
        return self

    def resolve_target(self, target: Any) -> str:
        """The name of the item that a component, an item or a name stands for; of a target setting, what it leads to.

        :raises ValueError: there is no such item.
        """
        if isinstance(target, TargetSettingRef):
            ref, setting = connections.source_of(self, target)
            return ref.host_settings.get(setting, "")
        return self.item(connections.name_of(self, target)).name

    @property
    def edges(self) -> tuple[GraphEdge, ...]:
        """All connections, in the order of the items."""
        return connections.edges(self)

    # Classes ------------------------------------------------------------------------------------------------------

    def message(self, name_or_cls: str | type, cls: type | None = None, *, sync_schema: bool = True) -> type:
        """Let the migration of this production keep the JSON schema of a message.

        :param name_or_cls: the class; or a name for its schema, and then the class.
        :param sync_schema: False registers nothing.
        :raises TypeError: it is no message.
        :raises ValueError: another class has the name.
        """
        name = name_or_cls if isinstance(name_or_cls, str) else ""
        found = cls if isinstance(name_or_cls, str) else name_or_cls
        if found is None:
            raise TypeError(f"message({name!r}) needs a class")
        if not is_message_class(found):
            raise TypeError(f"{getattr(found, '__qualname__', found)} is no message: derive it from Message")
        name = name or type_name(found)
        if self._messages.setdefault(name, found) is not found:
            raise ValueError(f"{self.name} has another message {name}")
        if not sync_schema:
            del self._messages[name]
        return found

    def component_registrations(self) -> dict[str, type]:
        """The classes of the items by the names that they are registered under.

        :raises ValueError: two classes have one name.
        """
        return self._registrations((ref.class_name, ref.component) for ref in self.items)

    def adapter_registrations(self) -> dict[str, type]:
        """The classes of the adapters by the names that they are registered under.

        :raises ValueError: two classes have one name.
        """
        return self._registrations((ref.adapter_class_name, ref.adapter_class) for ref in self.items)

    def message_registrations(self) -> dict[str, type]:
        """The messages whose schemas are kept, by name."""
        return dict(self._messages)

    def _registrations(self, pairs: Iterable[tuple[str, type | None]]) -> dict[str, type]:
        found: dict[str, type] = {}
        for name, cls in pairs:
            if cls is not None and found.setdefault(name, cls) is not cls:
                raise ValueError(f"{self.name}: two classes are called {name}; give one of them a class_name")
        return found
