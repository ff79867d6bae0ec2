"""Operations that every service can offer: heartbeat, status, about."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from junctor.dialects.pip_services.commons.refer import Descriptor, IReferences
from junctor.dialects.pip_services.components.info import ContextInfo
from junctor.dialects.pip_services.rpc.services.call import current
from junctor.dialects.pip_services.rpc.services.http_request_detector import HttpRequestDetector
from junctor.dialects.pip_services.rpc.services.rest_operations import RestOperations
from junctor.dialects.pip_services.rpc.services.status_rest_service import status_of
from junctor.dialects.pip_services.rpc.services.times import now, text_of
from junctor.http import Response

_INFO = Descriptor("*", "context-info", "*", "*", "*")


class HeartBeatOperations(RestOperations):
    """Tells the time of the server."""

    def get_heart_beat_operation(self) -> Callable[..., Any]:
        return self.heartbeat

    def heartbeat(self) -> Response:
        return self._send_result(text_of(now()))


class StatusOperations(RestOperations):
    """Tells what the process is and of what it is made."""

    def __init__(self) -> None:
        super().__init__()
        self._context_info: ContextInfo | None = None
        self._references: IReferences | None = None

    def set_references(self, references: IReferences) -> None:
        super().set_references(references)
        self._references = references
        self._context_info = references.get_one_optional(_INFO)

    def get_status_operation(self) -> Callable[..., Any]:
        return self.status

    def status(self) -> Response:
        return self._send_result(status_of(self._context_info, self._references))


class AboutOperations(RestOperations):
    """Tells about the server and about who asks."""

    def __init__(self) -> None:
        super().__init__()
        self._context_info: ContextInfo | None = None

    def set_references(self, references: IReferences) -> None:
        super().set_references(references)
        self._context_info = references.get_one_optional(_INFO)

    def get_about_operation(self) -> Callable[..., Any]:
        return self.get_about

    def get_about(self) -> Response:
        call = current()
        request, info = call.request, self._context_info or ContextInfo()
        server = {
            "name": info.name,
            "description": info.description,
            "properties": info.properties,
            "uptime": round(info.uptime, 3),
            "start_time": text_of(info.start_time),
            "current_time": text_of(now()),
            "protocol": request.scheme,
            "host": HttpRequestDetector.detect_server_host(request),
            "port": HttpRequestDetector.detect_server_port(request),
            "addresses": _addresses(),
            "url": f"{request.scheme}://{request.header('host')}{request.path}",
        }
        client = {
            "address": HttpRequestDetector.detect_address(request),
            "client": HttpRequestDetector.detect_browser(request),
            "platform": HttpRequestDetector.detect_platform(request),
            "user": call.user,
        }
        return self._send_result({"server": server, "client": client})


def _addresses() -> list[str]:
    """Addresses of this machine, as far as its own name tells them."""
    try:
        found = socket.getaddrinfo(socket.gethostname(), None, type=socket.SOCK_STREAM)
    except OSError:
        return []
    return list(dict.fromkeys(str(address[0]) for *_, address in found))
