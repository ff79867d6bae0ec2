"""Interoperability on Python on Junctor: ``from iop import BusinessOperation``."""

from typing import Any

from junctor.dialects import iop as _iop
from junctor.dialects.iop.genuine import refuse_genuine as _refuse_genuine

_refuse_genuine()

__all__ = _iop.__all__


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'iop' has no attribute {name!r}")
    value = globals()[name] = getattr(_iop, name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
