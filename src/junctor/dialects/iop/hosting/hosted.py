"""A running component: its instance with its adapter and its settings, from the start to the stop of its service."""

from __future__ import annotations

import logging
from typing import Any

from junctor.core.spec import Context, service_name
from junctor.dialects.iop.components import InboundAdapter, PollingBusinessService
from junctor.dialects.iop.components.dispatch import dispatch_of
from junctor.dialects.iop.components.lifecycle import started, stopped
from junctor.dialects.iop.definition import SettingValue
from junctor.dialects.iop.hosting.alerts import PROCESSOR, Alerter, as_alert
from junctor.dialects.iop.hosting.door import PortDoor
from junctor.dialects.iop.hosting.doorlog import DoorLog, keeps_traces
from junctor.dialects.iop.hosting.guard import Guard
from junctor.dialects.iop.hosting.inbound import HostHandle, entered
from junctor.dialects.iop.hosting.input import WrongInput, input_type, read_input
from junctor.dialects.iop.hosting.item import Item
from junctor.dialects.iop.hosting.known import KNOWN
from junctor.dialects.iop.messages import checked, received
from junctor.dialects.iop.settings import applied
from junctor.errors import named


class Hosted:
    """One instance of a component. It is made when its service starts, in a thread: its code may block.

    The order is that of InterSystems IRIS: instance without ``__init__``, settings, adapter, ``on_connected`` (an error
    is logged), ``on_init`` (an error keeps the service from starting).
    """

    component: Any = None
    adapter: Any = None

    def __init__(self, item: Item, context: Context) -> None:
        self.item = item
        self.context = context
        self.port = context.port
        self.alerter = Alerter(item, context.port)
        self.door = PortDoor(item.name, context.port, DoorLog(context.port.log, keeps_traces(item), self.alerter.tell))
        self.guard = Guard(item, context.port, self.alerter)

    def start(self) -> None:
        """Make the instance and call the hooks that come first. What ``on_init`` raises comes out of here."""
        component = self._made(self.item.component, "Host")
        if self.item.adapter is not None:
            self.adapter = self._made(self.item.adapter, "Adapter")
            component.adapter = component.Adapter = self.adapter
            self._introduce(component)
            started(self.adapter)
        started(component)
        self.component = component

    def stop(self) -> None:
        """Call the hooks that come last, of the host and of its adapter, whatever one of them raises."""
        if self.component is None:
            return  # it was disabled, or has not come up
        try:
            stopped(self.component)
        finally:
            if self.adapter is not None:
                stopped(self.adapter)

    def handle(self, request: Any) -> Any:
        """Let the method that takes a message of this class have it.

        :raises TypeError: what it answers is no message.
        """
        message = self.port.message()
        body = received(self._as_alert(request), message.id if message is not None else "")
        name = dispatch_of(type(self.component)).method_for(body)
        return checked(getattr(self.component, name)(body), f"the reply of {self.item.name}.{name}")

    def process_input(self, message_input: Any = None) -> Any:
        """Enter a business service from outside. What it raises is in the log with the session, and is told where
        AlertOnError asks for it: whoever called may have gone.

        :raises WrongInput: plain data does not fit the message that it takes; the log has that as well.
        """
        accepts = input_type(type(self.component))
        try:
            return entered(self.component, read_input(message_input, accepts, f"{self.item.name}.on_process_input"))
        except WrongInput as error:
            self._log(logging.WARNING, f"refused: {error}")
            raise
        except Exception as error:
            self._log(logging.ERROR, named(error), exc_info=error)
            self.alerter.failed(error, 1, last=True)
            raise

    def _log(self, level: int, text: str, **how: Any) -> None:
        extra = {"source_class": type(self.component).__name__, "source_method": "on_process_input"}
        self.port.log.log(level, "%s", text, extra=extra, **how)

    def poll(self) -> bool:
        """One tick of the inbound adapter, none outside the schedule of the item. Answers whether the service wants the
        next one at once."""
        component = self.component
        if not self.guard.open:
            return False
        component._wait_for_next_call_interval = True
        try:
            self._call_once(component)
        except Exception as error:
            self.alerter.failed(error, 1, last=True)
            raise
        return not component._wait_for_next_call_interval

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

    def _as_alert(self, request: Any) -> Any:
        """What a rule of the flow tells the item that gets alerts."""
        if self.item.name != PROCESSOR:
            return request
        return as_alert(request, {service_name(one.name): one.name for one in self.item.production.items})

    def _made(self, cls: Any, target: str) -> Any:
        instance = cls.__new__(cls)
        instance._door = self.door
        applied(instance, self._settings(target), self.item.name, known=KNOWN)
        return instance

    def _introduce(self, component: Any) -> None:
        adapter = self.adapter
        if isinstance(adapter, InboundAdapter):
            vars(adapter)["business_host"] = vars(adapter)["BusinessHost"] = HostHandle(component)
            vars(adapter)["business_host_python"] = component

    def _settings(self, target: str) -> list[SettingValue]:
        return [one for one in self.item.definition.settings if (one.target == "Adapter") == (target == "Adapter")]


def _nothing() -> None: ...
