"""The base of groups of handlers that several services share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from junctor.dialects.pip_services.commons.config import ConfigParams, IConfigurable
from junctor.dialects.pip_services.commons.data import FilterParams, PagingParams
from junctor.dialects.pip_services.commons.errors import (
    ApplicationException,
    BadRequestException,
    ConflictException,
    ConnectionException,
    ErrorCategory,
    InternalException,
    NotFoundException,
    UnauthorizedException,
)
from junctor.dialects.pip_services.commons.refer import DependencyResolver, IReferenceable, IReferences
from junctor.dialects.pip_services.components.count import CompositeCounters
from junctor.dialects.pip_services.components.log import CompositeLogger
from junctor.dialects.pip_services.rpc.services.call import current
from junctor.dialects.pip_services.rpc.services.http_response_sender import HttpResponseSender
from junctor.dialects.pip_services.rpc.services.rest_query_params import filter_of, paging_of
from junctor.http import Response


class RestOperations(IConfigurable, IReferenceable):
    """Handlers that read the request through ``_get_`` methods and answer through ``_send_`` ones."""

    def __init__(self) -> None:
        self._logger = CompositeLogger()
        self._counters = CompositeCounters()
        self._dependency_resolver = DependencyResolver()

    def configure(self, config: ConfigParams) -> None:
        self._dependency_resolver.configure(config)

    def set_references(self, references: IReferences) -> None:
        self._logger.set_references(references)
        self._counters.set_references(references)
        self._dependency_resolver.set_references(references)

    def get_param(self, param: str, default: Any = None) -> Any:
        """A value of the path, or of the query, by its name."""
        return current().param(param, default)

    def _get_correlation_id(self) -> str | None:
        return current().correlation_id

    def _get_filter_params(self) -> FilterParams:
        return filter_of(current().params)

    def _get_paging_params(self) -> PagingParams:
        return paging_of(current().params)

    def _get_data(self) -> Any:
        """The body, read as JSON; None without one."""
        return current().data

    def _send_result(self, result: Any = None) -> Response:
        return HttpResponseSender.send_result(result)

    def _send_empty_result(self, result: Any = None) -> Response:
        return HttpResponseSender.send_empty_result(result)

    def _send_created_result(self, result: Any = None) -> Response:
        return HttpResponseSender.send_created_result(result)

    def _send_deleted_result(self, result: Any = None) -> Response:
        return HttpResponseSender.send_deleted_result(result)

    def _send_error(self, error: Any = None) -> Response:
        return HttpResponseSender.send_error(error)

    def _send_bad_request(self, message: str) -> Response:
        return self._send_error(BadRequestException(self._get_correlation_id(), "BAD_REQUEST", message))

    def _send_unauthorized(self, message: str) -> Response:
        return self._send_error(UnauthorizedException(self._get_correlation_id(), "UNAUTHORIZED", message))

    def _send_not_found(self, message: str) -> Response:
        return self._send_error(NotFoundException(self._get_correlation_id(), "NOT_FOUND", message))

    def _send_conflict(self, message: str) -> Response:
        return self._send_error(ConflictException(self._get_correlation_id(), "CONFLICT", message))

    def _send_session_expired(self, message: str) -> Response:
        error = UnauthorizedException(self._get_correlation_id(), "SESSION_EXPIRED", message)
        return self._send_error(error.with_status(440))

    def _send_internal_error(self, message: str) -> Response:
        return self._send_error(InternalException(self._get_correlation_id(), "INTERNAL", message))

    def _send_server_unavailable(self, message: str) -> Response:
        error = ConnectionException(self._get_correlation_id(), "SERVER_UNAVAILABLE", message)
        return self._send_error(error.with_status(503))

    def invoke(self, operation: str) -> Callable[..., Any]:
        """A method of this object as a handler, by its name. What is called is looked up with each call."""
        if not callable(getattr(self, operation, None)):
            text = f"{type(self).__name__} has no operation {operation}"
            raise ApplicationException(ErrorCategory.Internal, None, "NO_OPERATION", text)

        def invoked(**arguments: Any) -> Any:
            return getattr(self, operation)(**arguments)

        return invoked
