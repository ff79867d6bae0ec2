"""One thing that happens."""

from __future__ import annotations

from junctor.dialects.pip_services.commons.commands.interfaces import IEvent, IEventListener
from junctor.dialects.pip_services.commons.errors.exceptions import InvocationException
from junctor.dialects.pip_services.commons.run.parameters import Parameters


class Event(IEvent):
    """
    :param name: by which it is called.
    :raises TypeError: it has no name.
    """

    def __init__(self, name: str) -> None:
        if not name:
            raise TypeError("an event needs a name")
        self._name = name
        self._listeners: list[IEventListener] = []

    def get_name(self) -> str:
        return self._name

    def get_listeners(self) -> list[IEventListener]:
        return list(self._listeners)

    def add_listener(self, listener: IEventListener) -> None:
        self._listeners.append(listener)

    def remove_listener(self, listener: IEventListener) -> None:
        """Nothing happens where it does not listen."""
        if listener in self._listeners:
            self._listeners.remove(listener)

    def notify(self, correlation_id: str | None, args: Parameters | None) -> None:
        """Tells all listeners, whatever one of them does.

        :raises ApplicationException: what the first of those that failed raised, if it is one; else an
            InvocationException with the code ``EXEC_FAILED`` and that as its cause.
        """
        failures = [each for listener in self.get_listeners() if (each := self._tell(listener, correlation_id, args))]
        if failures:
            message = f"Raising event {self._name} failed: {failures[0]}"
            failure = InvocationException(correlation_id, "EXEC_FAILED", message).with_details("event_name", self._name)
            raise failure.wrap(failures[0])

    def _tell(self, listener: IEventListener, correlation_id: str | None, args: Parameters | None) -> Exception | None:
        try:
            listener.on_event(correlation_id, self, Parameters() if args is None else args)
        except Exception as error:  # noqa: BLE001 - code of the program: it is raised once all were told
            return error
        return None
