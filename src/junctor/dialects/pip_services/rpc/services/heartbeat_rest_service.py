"""Tells that the process is alive."""

from __future__ import annotations

from junctor.dialects.pip_services.commons.config import ConfigParams
from junctor.dialects.pip_services.rpc.services.rest_service import RestService
from junctor.dialects.pip_services.rpc.services.times import now, text_of
from junctor.http import Response


class HeartbeatRestService(RestService):
    """``GET /heartbeat`` answers the time of the server in UTC.

    Configuration: ``route`` (heartbeat), and what :class:`RestService` has.
    """

    def __init__(self) -> None:
        super().__init__()
        self._route: str = "heartbeat"

    def configure(self, config: ConfigParams) -> None:
        super().configure(config)
        self._route = config.get_as_string_with_default("route", self._route)

    def register(self) -> None:
        self.register_route("GET", self._route, None, self.heartbeat)

    def heartbeat(self) -> Response:
        return self.send_result(text_of(now()))
