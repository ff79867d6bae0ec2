"""Where HTTP endpoints listen and clients call."""

from junctor.dialects.pip_services.rpc.connect.http_connection_resolver import HttpConnectionResolver

__all__ = ("HttpConnectionResolver",)
