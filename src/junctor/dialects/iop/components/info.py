"""What tools ask a component class: its kind, its words, its adapter."""

from __future__ import annotations

import inspect
from typing import Any

from junctor.errors import ConfigurationError, text_of

KINDS = ("BusinessService", "BusinessProcess", "BusinessOperation", "InboundAdapter", "OutboundAdapter")
_OURS = "junctor."


def info_of(cls: type) -> list[str]:
    """The list of :meth:`Component._get_info`; empty for the bases themselves."""
    kind = next((base.__name__ for base in cls.__mro__ if base.__name__ in KINDS and _is_ours(base)), "")
    if not kind or _is_ours(cls):
        return []
    urls = [str(getattr(cls, name, "")) for name in ("INFO_URL", "ICON_URL")]
    adapter = [adapter_type(cls) or ""] if kind in ("BusinessService", "BusinessOperation") else []
    return [kind, inspect.cleandoc(vars(cls).get("__doc__") or ""), *urls, *adapter]


def _is_ours(cls: type) -> bool:
    return cls.__module__.startswith(_OURS)


def adapter_type(cls: type) -> str | None:
    """What ``get_adapter_type`` of a class answers, None for no adapter."""
    answer = asked(cls, "get_adapter_type")
    return answer if isinstance(answer, str) and answer else None


def asked(cls: type, name: str) -> Any:
    """What a method answers that belongs to the class. Programs write such a method as a static or class method, with
    ``self``, or without any parameter; each is called on the class. None where there is none.

    :raises ConfigurationError: it fails.
    """
    function = inspect.getattr_static(cls, name, None)
    inner = getattr(function, "__func__", function)
    if not callable(inner):
        return None
    try:
        return inner(cls) if inspect.signature(inner).parameters else inner()
    except Exception as error:
        what = f"{name}() fails: {type(error).__name__}: {text_of(error)}"
        fix = "It is called on the class, before there is an instance: correct it."
        raise ConfigurationError(what, where=f"{cls.__module__}.{cls.__qualname__}", fix=fix) from error
