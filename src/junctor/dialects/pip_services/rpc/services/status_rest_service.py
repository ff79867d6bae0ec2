"""Tells what the process is and of what it is made."""

from __future__ import annotations

from typing import Any

from junctor.dialects.pip_services.commons.config import ConfigParams
from junctor.dialects.pip_services.commons.refer import Descriptor, IReferences
from junctor.dialects.pip_services.components.info import ContextInfo
from junctor.dialects.pip_services.rpc.services.rest_service import RestService
from junctor.dialects.pip_services.rpc.services.times import now, text_of
from junctor.http import Response

_INFO = Descriptor("*", "context-info", "*", "*", "1.0")


class StatusRestService(RestService):
    """``GET /status`` answers name, description, start, uptime in milliseconds, and the descriptors of all components.

    Configuration: ``route`` (status), and what :class:`RestService` has.
    """

    def __init__(self) -> None:
        super().__init__()
        self._route: str = "status"
        self._start_time = now()
        self._context_info: ContextInfo | None = None

    def configure(self, config: ConfigParams) -> None:
        super().configure(config)
        self._route = config.get_as_string_with_default("route", self._route)

    def set_references(self, references: IReferences) -> None:
        super().set_references(references)
        self._context_info = references.get_one_optional(_INFO)

    def register(self) -> None:
        self.register_route("GET", self._route, None, self.status)

    def status(self) -> Response:
        return self.send_result(status_of(self._context_info, self._references))


def status_of(info: ContextInfo | None, references: IReferences | None) -> dict[str, Any]:
    """What there is to say about a process."""
    info = info or ContextInfo()
    return {
        "id": info.context_id,
        "name": info.name,
        "description": info.description,
        "start_time": text_of(info.start_time),
        "current_time": text_of(now()),
        "uptime": round(info.uptime, 3),
        "properties": info.properties,
        "components": [str(locator) for locator in references.get_all_locators()] if references is not None else [],
    }
