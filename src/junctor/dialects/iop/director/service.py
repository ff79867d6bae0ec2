"""What ``get_business_service`` answers: a business service that is called, wherever it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from junctor.dialects.iop.components.failures import as_runtime_errors
from junctor.dialects.iop.director.afar import call_afar
from junctor.dialects.iop.director.connections import Connections
from junctor.dialects.iop.director.entrance import NotABusinessService
from junctor.dialects.iop.director.inside import Place, call_inside, node_with
from junctor.dialects.iop.director.place import Namespace
from junctor.dialects.iop.hosting.input import WrongInput
from junctor.errors import NodeNotFound

__all__ = ("CalledService", "NotABusinessService", "WrongInput", "connections")

connections = Connections()
"""Those of this process."""


class CalledService:
    """A business service of the production that runs: in this process, or in another one of this machine.

    It may be kept, and called by many threads. A production that was started again is found again.
    """

    def __init__(self, name: str, place: Namespace, *, new_session: bool = False) -> None:
        self.name = name
        self._place = place
        self._new_session = new_session
        self._directory: Path | None = None

    def on_process_input(self, message_input: Any = None) -> Any:
        """Call the service and wait for what it returns.

        In its own process it gets the very object, and what it raises is raised here. From another process it gets a
        copy; what it answers is a message of its class where this process has imported that, else a
        :class:`~junctor.dialects.iop.messages.untyped.UntypedMessage`. A dictionary becomes the message that the
        service asks for. All of these errors are RuntimeErrors too, and so are those of the engine that the service
        lets through, a :class:`~junctor.errors.RequestFailed` for example.

        :raises NoProduction: none runs.
        :raises NotABusinessService: the production has no such service.
        :raises WrongInput: a dictionary does not fit the message.
        :raises CallFailed: the service raised, in another process.
        :raises ConnectionLost: its node ended meanwhile; whether the service was called is not known.
        """
        with as_runtime_errors():
            inside = node_with(self.name)
            if inside is not None:
                return self._inside(inside, message_input)
            return self._afar(message_input)

    OnProcessInput = on_process_input

    def _inside(self, place: Place, value: Any) -> Any:
        return call_inside(place, self.name, value, new_session=self._new_session)

    def _afar(self, value: Any) -> Any:
        if self._directory is not None:
            try:
                return call_afar(connections, self._directory, self.name, value)
            except NodeNotFound:  # nothing was asked yet: another production may run by now
                self._directory = None
        directory = self._place.node()
        answer = call_afar(connections, directory, self.name, value)
        self._directory = directory
        return answer

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"{self.name} is called by on_process_input; {name!r} is not offered by the Director")

    def __repr__(self) -> str:
        return f"<business service {self.name}>"
