"""What a service sees of the node that runs it, and what stands there when none does."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from pathlib import Path
from typing import Any, NoReturn, Protocol

from junctor.dialects.microservicebus.services.message import QueueMessage


class Queue(Protocol):
    """The queue that a service is constructed with. What is put into it goes to the service that it names."""

    def put(self, item: QueueMessage) -> Awaitable[None]:
        """Hand a message over, at once: inside an action it goes out with the end of the action, elsewhere it is
        accepted, on disk in a durable flow, when what this returns is awaited, or, in a thread without an event loop,
        when this returns. Callable from any thread.

        :raises UnknownTarget: there is no such service, with the nearest names.
        :raises UnknownAction: the service has no such action.
        :raises EncodeError: the payload cannot be encoded.
        """
        ...


class Door(Protocol):
    """What the built-in functions ask of the node, beside the queue. Callable from any thread."""

    folder: Path
    """Where the flow is: packages are installed below it."""

    def add_package(self, package: str, module: str, name: str) -> Any:
        """An object of a package, which is installed where it is missing.

        :raises PackageError: with the package and the reason.
        """
        ...

    def settings(self) -> dict[str, Any]:
        """Facts about the node: ``nodeName``, ``state``, ``debug``, ``tags`` and more."""
        ...

    def say(self, level: int, text: str, debug: bool = False) -> None:
        """A line of the service in the console and the trace.

        :param level: as in :mod:`logging`.
        :param debug: it is not for the console while the debug output of the node is off.
        """
        ...

    def fault(self, text: str, code: str | None, description: str | None) -> None:
        """Note an error of the service: in the log, the trace, and the alerts."""
        ...

    def track(self, body: Mapping[str, Any], description: str | None) -> None:
        """Keep a tracking record with what is being handled."""
        ...

    def submit(self, payload: Any) -> Awaitable[Any] | None:
        """Hand a message to the services that the flow has connected ``messages`` with; None where it has not."""
        ...

    def action_on(self, destination: str, *names: str) -> str:
        """The first of these actions that a service has; the first where it has none of them, or is not there."""
        ...


class NoDoor:
    """The door of a service that no node runs: in a unit test. It refuses all that needs a node."""

    folder = Path()

    def add_package(self, package: str, module: str, name: str) -> Any:
        """Nothing is installed; what is there is imported."""
        from junctor.dialects.microservicebus.packages import PackageRules, Packages

        return Packages(None, PackageRules()).add(package, module, name)

    def settings(self) -> dict[str, Any]:
        """Nothing is known."""
        return {}

    def say(self, level: int, text: str, debug: bool = False) -> None:
        """:raises RuntimeError: always."""
        _refuse("log")

    def fault(self, text: str, code: str | None, description: str | None) -> None:
        """:raises RuntimeError: always."""
        _refuse("tell of an error")

    def track(self, body: Mapping[str, Any], description: str | None) -> None:
        """:raises RuntimeError: always."""
        _refuse("track")

    def submit(self, payload: Any) -> Awaitable[Any] | None:
        """Nothing is connected."""
        return None

    def action_on(self, destination: str, *names: str) -> str:
        """The first one."""
        return names[0]


def _refuse(what: str) -> NoReturn:
    raise RuntimeError(f"this service cannot {what}: no node runs it; give it a queue that a node has made")


def door_of(queue: object) -> Door:
    """The door beside a queue."""
    door: Door | None = getattr(queue, "door", None)
    return NoDoor() if door is None else door
