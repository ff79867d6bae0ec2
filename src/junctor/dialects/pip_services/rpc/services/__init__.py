"""Services that answer HTTP requests, and the endpoint at which they are reached."""

from junctor.dialects.pip_services.rpc.services.commandable_http_service import CommandableHttpService
from junctor.dialects.pip_services.rpc.services.commandable_swagger_document import CommandableSwaggerDocument
from junctor.dialects.pip_services.rpc.services.heartbeat_rest_service import HeartbeatRestService
from junctor.dialects.pip_services.rpc.services.http_endpoint import HttpEndpoint
from junctor.dialects.pip_services.rpc.services.http_request_detector import HttpRequestDetector
from junctor.dialects.pip_services.rpc.services.http_response_sender import HttpResponseSender
from junctor.dialects.pip_services.rpc.services.instrument_timing import InstrumentTiming
from junctor.dialects.pip_services.rpc.services.interfaces import IRegisterable, ISwaggerService
from junctor.dialects.pip_services.rpc.services.ready_operations import (
    AboutOperations,
    HeartBeatOperations,
    StatusOperations,
)
from junctor.dialects.pip_services.rpc.services.rest_operations import RestOperations
from junctor.dialects.pip_services.rpc.services.rest_query_params import RestQueryParams
from junctor.dialects.pip_services.rpc.services.rest_service import RestService
from junctor.dialects.pip_services.rpc.services.status_rest_service import StatusRestService

__all__ = (
    "AboutOperations",
    "CommandableHttpService",
    "CommandableSwaggerDocument",
    "HeartBeatOperations",
    "HeartbeatRestService",
    "HttpEndpoint",
    "HttpRequestDetector",
    "HttpResponseSender",
    "IRegisterable",
    "ISwaggerService",
    "InstrumentTiming",
    "RestOperations",
    "RestQueryParams",
    "RestService",
    "StatusOperations",
    "StatusRestService",
)
