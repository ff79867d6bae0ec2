"""Components that programs may import, and that are not offered yet."""

from __future__ import annotations

from junctor.dialects.iop.components.operation import BusinessOperation
from junctor.dialects.iop.components.process import BusinessProcess
from junctor.dialects.iop.components.service import BusinessService


class DuplexService(BusinessService):
    """A service with sessions of its own: not offered yet. An item of such a class does not start."""


class DuplexOperation(BusinessOperation):
    """An operation with sessions of its own: not offered yet. An item of such a class does not start."""


class DuplexProcess(BusinessProcess):
    """A process with sessions of its own: not offered yet. An item of such a class does not start."""


DEFERRED = (DuplexService, DuplexOperation, DuplexProcess)


def not_offered(cls: type) -> str:
    """Why a component of this class cannot run; empty for one that can."""
    base = next((base for base in DEFERRED if issubclass(cls, base)), None)
    if base is None:
        return ""
    kind = base.__name__
    return (
        f"{cls.__module__}.{cls.__qualname__} is a {kind}, which is not offered yet. "
        f"Write it as a {kind.replace('Duplex', 'Business')}"
    )
