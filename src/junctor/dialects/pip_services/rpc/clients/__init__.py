"""Clients of services, in other processes and in the same."""

from junctor.dialects.pip_services.rpc.clients.commandable_http_client import CommandableHttpClient
from junctor.dialects.pip_services.rpc.clients.direct_client import DirectClient
from junctor.dialects.pip_services.rpc.clients.rest_client import RestClient

__all__ = ("CommandableHttpClient", "DirectClient", "RestClient")
