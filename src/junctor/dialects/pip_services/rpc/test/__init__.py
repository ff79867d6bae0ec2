"""Clients whose calls are public, for tests of services."""

from junctor.dialects.pip_services.rpc.test.test_clients import TestCommandableHttpClient, TestRestClient

__all__ = ("TestCommandableHttpClient", "TestRestClient")
