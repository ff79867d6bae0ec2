"""The factory of this package's components."""

from junctor.dialects.pip_services.rpc.build.default_rpc_factory import DefaultRpcFactory

__all__ = ("DefaultRpcFactory",)
