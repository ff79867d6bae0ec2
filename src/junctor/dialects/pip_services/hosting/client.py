"""From a component to the other services of the flow, of whatever system."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from junctor.core.hop import current
from junctor.core.port import Port
from junctor.core.spec import service_name
from junctor.dialects.pip_services.commons.config import ConfigParams, IConfigurable
from junctor.dialects.pip_services.commons.errors import InvalidStateException, InvocationException
from junctor.errors import JunctorError
from junctor.messages import session_text
from junctor.messages.codec import to_plain

here: ContextVar[Port | None] = ContextVar("pip_services_port", default=None)
"""The port of the service whose call is being made."""


CORRELATION = "correlation_id"
"""The header by which a message carries the correlation id of who sends it."""


def headers_of(correlation_id: str | None) -> dict[str, str] | None:
    """The headers of a message that belongs to a correlation id. Where that is the session, the message has it. The
    request that it is sent for gets them as well, as its record begins here."""
    hop = current.get()
    if not correlation_id or (hop is not None and correlation_id == session_text(hop.session)):
        return None
    headers = {CORRELATION: correlation_id}
    if hop is not None and hop.message is None and hop.headers is None:
        hop.headers = headers
    return headers


class ServiceClient(IConfigurable):
    """``junctor:client:*:*:1.0``, an addition: messages and requests to a service of the flow.

    Parameters: ``service``, its name, or the name that it has in its own system (``Python.MyOperation``);
    ``options.timeout`` of requests (the time that the service allows by default) in milliseconds.

    ``port`` is set by the container that hosts it.
    """

    def __init__(self) -> None:
        self.port: Port | None = None
        self._service = ""
        self._timeout = 0

    def configure(self, config: ConfigParams) -> None:
        self._service = config.get_as_string("service")
        self._timeout = config.get_as_integer("options.timeout")

    def call_command(self, name: str, correlation_id: str | None = None, params: Any = None) -> Any:
        """Ask the handler of this name and wait for the reply, as plain data.

        :raises InvocationException: no reply came; the cause says why.
        :raises InvalidStateException: the container is not in a node.
        """
        port = self._port(correlation_id)
        try:
            link = port.link_to(self._address, Any, Any, handler=name)
            timeout = self._timeout / 1000 or None
            headers = headers_of(correlation_id)
            return to_plain(port.request(link, params, timeout=timeout, headers=headers).result())
        except JunctorError as error:
            raise self._failed(correlation_id, name, error) from error

    def send(self, name: str, correlation_id: str | None = None, params: Any = None) -> None:
        """Send a message to the handler of this name; it is kept until it is handled.

        :raises InvocationException: it was not accepted; the cause says why.
        :raises InvalidStateException: the container is not in a node.
        """
        port = self._port(correlation_id)
        try:
            link = port.link_to(self._address, Any, handler=name)
            port.send(link, params, headers=headers_of(correlation_id)).result()
        except JunctorError as error:
            raise self._failed(correlation_id, name, error) from error

    @property
    def _address(self) -> str:
        return "/".join(service_name(part) for part in self._service.split("/"))

    def _port(self, correlation_id: str | None) -> Port:
        port = here.get() or self.port
        if port is None:
            message = "The container does not run in a node: start it with run(), or with junctor run"
            raise InvalidStateException(correlation_id, "NOT_HOSTED", message)
        return port

    def _failed(self, correlation_id: str | None, name: str, error: JunctorError) -> InvocationException:
        made = InvocationException(correlation_id, "CALL_FAILED", f"Calling {self._service}.{name} failed: {error}")
        return made.with_cause(error)
