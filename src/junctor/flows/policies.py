"""Policies as users write them: numbers, mappings with durations and sizes as text, or the finished objects."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, get_args

import msgspec

from junctor.clock import parse_duration
from junctor.core.policy import (
    Durability,
    HoldPolicy,
    Order,
    Policies,
    PoolPolicy,
    QueuePolicy,
    RestartPolicy,
    RetryPolicy,
)
from junctor.errors import ConfigurationError, nearest

_DURATIONS = {"initial", "max", "window", "wait", "timeout"}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(i?)B?", re.IGNORECASE)
_BACKOFF = {"exponential": 2.0, "constant": 1.0}


def read_policies(base: Policies, written: Mapping[str, Any], service: str) -> Policies:
    """The policies of a service: ``base``, and over it what is not None in ``written``.

    :param service: the name shown in errors.
    :raises ConfigurationError: an unknown word or a wrong value, with the place and the right words.
    """
    given = {name: value for name, value in written.items() if value is not None}
    pool = _pool(base.pool, given, service)
    changed: dict[str, Any] = {"pool": pool}
    for name, kind in (
        ("retry", RetryPolicy),
        ("hold", HoldPolicy),
        ("restart", RestartPolicy),
        ("queue", QueuePolicy),
    ):
        if name in given:
            changed[name] = _policy(getattr(base, name), kind, given[name], f"{service}.{name}")
    if "durability" in given:
        changed["durability"] = _word(given["durability"], get_args(Durability), f"{service}.durability")
    if "timeout" in given:
        changed["timeout"] = _checked(f"{service}.timeout", lambda: parse_duration(given["timeout"]))
    return msgspec.structs.replace(base, **changed)


def _pool(base: PoolPolicy, given: Mapping[str, Any], service: str) -> PoolPolicy:
    pool = given.get("pool", base)
    where = f"{service}.pool"
    if isinstance(pool, int) and not isinstance(pool, bool):
        pool = {"size": pool}
    made = _policy(base, PoolPolicy, pool, where)
    changed = {name: given[name] for name in ("key", "order") if name in given}
    if "order" in changed:
        _word(changed["order"], get_args(Order), f"{service}.order")
    if "key" in changed and not isinstance(changed["key"], str):
        fix = 'Give the name of a field of the body, for example key="sensor".'
        raise ConfigurationError(
            f"expected the name of a field, got {changed['key']!r}", where=f"{service}.key", fix=fix
        )
    # Built anew, not replaced: only then the bounds are checked.
    fields = {**msgspec.structs.asdict(made), **changed}
    checked: PoolPolicy = _checked(where, lambda: PoolPolicy(**fields))
    return checked


def _policy(base: Any, kind: type[Any], written: Any, where: str) -> Any:
    if isinstance(written, kind):
        return written
    if kind is QueuePolicy and isinstance(written, int) and not isinstance(written, bool):
        written = {"limit": written}
    if not isinstance(written, Mapping):
        raise ConfigurationError(
            f"expected a mapping or {kind.__name__}, got {written!r}",
            where=where,
            fix=f"Write for example {_example(kind)}.",
        )
    fields = msgspec.structs.asdict(base)
    for name, value in written.items():
        if name == "backoff" and "factor" in fields:
            fields["factor"] = _BACKOFF[_word(value, tuple(_BACKOFF), f"{where}.backoff")]
        elif name not in fields:
            raise ConfigurationError(
                "there is no such word", where=f"{where}.{name}", fix=nearest(name, fields).strip()
            )
        else:
            fields[name] = _value(name, value, f"{where}.{name}")
    return _checked(where, lambda: msgspec.convert(fields, kind))


def _value(name: str, value: Any, where: str) -> Any:
    if name in _DURATIONS:
        return _checked(where, lambda: parse_duration(value))
    if name == "bytes" and isinstance(value, str):
        return _checked(where, lambda: parse_size(value))
    return value


def parse_size(text: str) -> int:
    """Bytes from ``"64MiB"``, ``"1GB"`` or a number.

    :raises ValueError: the text is not a size.
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f'{text!r} is not a size: write for example "64MiB"')
    number, unit, binary = match.groups()
    base = 1024 if binary else 1000
    return int(float(number) * base ** (" KMGT".index(unit.upper() or " ")))


def _word(value: Any, words: tuple[str, ...], where: str) -> Any:
    if value not in words:
        fix = f"Write one of: {', '.join(words)}."
        raise ConfigurationError(f"{value!r} is not known here", where=where, fix=fix)
    return value


def _checked(where: str, make: Callable[[], Any]) -> Any:
    """The result, with the place in an error that does not know it."""
    try:
        return make()
    except ConfigurationError as error:
        raise ConfigurationError(error.what, where=where, fix=error.fix) from error
    except (ValueError, TypeError) as error:
        what, _, path = str(error).partition(" - at `$")
        raise ConfigurationError(what, where=f"{where}{path.rstrip('`')}") from error


def _example(kind: type[Any]) -> str:
    if kind is QueuePolicy:
        return 'queue={"limit": 10000, "bytes": "64MiB"}'
    if kind is PoolPolicy:
        return "pool=4"
    name = kind.__name__.removesuffix("Policy").lower()
    return f'{name}={{"initial": "200ms", "max": "30s"}}'
