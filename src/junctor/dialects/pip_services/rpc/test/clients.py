"""Clients whose calls are public, for tests of services."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from junctor.dialects.pip_services.rpc.clients import CommandableHttpClient, RestClient


class TestRestClient(RestClient):
    """
    :param base_route: below which all calls are.
    """

    __test__: ClassVar[bool] = False  # pytest collects what is called like this

    def __init__(self, base_route: str | None = None) -> None:
        super().__init__()
        self._base_route = base_route

    def call(
        self,
        method: str,
        route: str | None,
        correlation_id: str | None = None,
        params: Mapping[str, Any] | None = None,
        data: Any = None,
    ) -> Any:
        """See :meth:`RestClient._call`."""
        return self._call(method, route, correlation_id, params, data)


class TestCommandableHttpClient(CommandableHttpClient):
    """Has nothing to add: ``call_command`` is public."""

    __test__: ClassVar[bool] = False
