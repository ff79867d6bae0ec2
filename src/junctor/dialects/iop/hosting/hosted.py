"""A running component: its instance with its adapter and its settings, from the start to the stop of its service."""

from __future__ import annotations

from typing import Any

from junctor.core.spec import Context
from junctor.dialects.iop.components import InboundAdapter, PollingBusinessService
from junctor.dialects.iop.definition import SettingValue
from junctor.dialects.iop.hosting.door import PortDoor
from junctor.dialects.iop.hosting.guard import Guard
from junctor.dialects.iop.hosting.inbound import HostHandle, entered
from junctor.dialects.iop.hosting.input import input_type, read_input
from junctor.dialects.iop.hosting.item import Item
from junctor.dialects.iop.hosting.values import applied


class Hosted:
    """One instance of a component. It is made when its service starts, in a thread: its code may block.

    The order is that of InterSystems IRIS: instance without ``__init__``, settings, adapter, ``on_connected`` (an error
    is logged), ``on_init`` (an error keeps the service from starting).
    """

    component: Any
    adapter: Any = None

    def __init__(self, item: Item, context: Context) -> None:
        self.item = item
        self.context = context
        self.port = context.port
        self.door = PortDoor(item.name, context.port)
        self.guard = Guard(item, context.port)

    def start(self) -> None:
        """Make the instance and call the hooks that come first. What ``on_init`` raises comes out of here."""
        assert self.item.component is not None
        component = self._made(self.item.component, "Host")
        if self.item.adapter is not None:
            self.adapter = self._made(self.item.adapter, "Adapter")
            component.adapter = component.Adapter = self.adapter
            self._introduce(component)
            self._prepared(self.adapter)
        self._prepared(component)
        self.component = component

    def stop(self) -> None:
        """Call the hooks that come last, those of the host first; each is called, whatever another one raises."""
        errors: list[Exception] = []
        for part in (getattr(self, "component", None), self.adapter):
            for name in ("on_tear_down", "on_teardown"):
                try:
                    getattr(part, name, _nothing)()
                except Exception as error:  # noqa: BLE001 - the others are called all the same
                    errors.append(error)
        if errors:
            raise errors[0]

    def process_input(self, message_input: Any = None) -> Any:
        """Enter a business service from outside.

        :raises WrongInput: plain data does not fit the message that it takes.
        """
        accepts = input_type(type(self.component))
        return entered(self.component, read_input(message_input, accepts, f"{self.item.name}.on_process_input"))

    def poll(self) -> None:
        """One tick of the inbound adapter; several where the service does not want to wait for the next, none outside
        the schedule of the item."""
        component = self.component
        if not self.guard.open:
            return
        while True:
            component._wait_for_next_call_interval = True
            self._call_once(component)
            if component._wait_for_next_call_interval or self.port.stopping:
                return

    def _call_once(self, component: Any) -> None:
        if self.adapter is not None:
            self.adapter.on_task()
        elif isinstance(component, PollingBusinessService):
            component.on_poll()
        else:
            entered(component)

    def keep_alive(self) -> None:
        """One tick of the outbound adapter and of its operation, within the schedule of the item."""
        for part in () if not self.guard.open else (self.adapter, self.component):
            getattr(part, "on_keepalive", _nothing)()

    def _made(self, cls: Any, target: str) -> Any:
        instance = cls.__new__(cls)
        instance._door = self.door
        applied(instance, self._settings(target))
        return instance

    def _introduce(self, component: Any) -> None:
        adapter = self.adapter
        if isinstance(adapter, InboundAdapter):
            vars(adapter)["business_host"] = vars(adapter)["BusinessHost"] = HostHandle(component)
            vars(adapter)["business_host_python"] = component

    def _settings(self, target: str) -> list[SettingValue]:
        return [one for one in self.item.definition.settings if (one.target == "Adapter") == (target == "Adapter")]

    def _prepared(self, instance: Any) -> None:
        try:
            instance.on_connected()
        except Exception as error:  # noqa: BLE001 - as in InterSystems IRIS
            self.port.log.warning("%s: on_connected: %r", self.item.name, error)
        instance.on_init()


def _nothing() -> None: ...
