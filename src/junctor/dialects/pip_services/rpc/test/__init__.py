"""Clients whose calls are public, for tests of services."""

from junctor.dialects.pip_services.rpc.test.clients import TestCommandableHttpClient, TestRestClient

__all__ = ("TestCommandableHttpClient", "TestRestClient")
