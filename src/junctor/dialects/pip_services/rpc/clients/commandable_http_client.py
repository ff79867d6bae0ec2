"""A client of a commandable service."""

from __future__ import annotations

from typing import Any

from junctor.dialects.pip_services.rpc.clients.rest_client import RestClient


class CommandableHttpClient(RestClient):
    """
    :param base_route: of the service.
    """

    def __init__(self, base_route: str | None = None) -> None:
        super().__init__()
        self._base_route = base_route

    def call_command(self, name: str, correlation_id: str | None, params: Any) -> Any:
        """What the command returns.

        :param params: its arguments by name.
        :raises ApplicationException: see :meth:`RestClient._call`.
        """
        measured = ".".join(part for part in ((self._base_route or "").strip("/"), name) if part)
        with self._instrument(correlation_id, measured):
            return self._call("POST", name, correlation_id, None, {} if params is None else params)
