"""Arguments and results of calls between a node and its worker: JSON, read again as what the entry declares."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

from junctor.core.spec import Call
from junctor.errors import EncodeError
from junctor.messages import codec
from junctor.runtime.workers.protocol import Value


def arguments_of(values: Mapping[str, Any], where: str) -> bytes:
    """The arguments of a call for the wire.

    :raises EncodeError: one has no JSON form.
    """
    try:
        return codec.encode(dict(values))
    except EncodeError as error:
        raise EncodeError(
            f"an argument cannot go to a worker process: {error.what}",
            where=where,
            fix="Files and whole requests stay in the node: use plain parameters, or a service of its own for them.",
        ) from error


def read_arguments(data: bytes, signature: Call | None) -> dict[str, Any]:
    """The arguments as the entry declares them."""
    values: dict[str, Any] = msgspec.json.decode(data)
    declared = _declared(signature)[0] if values and signature is not None else {}
    return {name: _as(value, declared.get(name, Any)) for name, value in values.items()}


def value_of(result: Any, where: str) -> Value:
    """What an entry returned, for the wire.

    :raises EncodeError: it has no form there.
    """
    if result is None:
        return Value()
    if type(result) is bytes:
        return Value(result, plain=True)
    if isinstance(body := getattr(result, "body", None), bytes) and hasattr(result, "raw_headers"):
        return Value(body, status=result.status_code, headers=tuple(result.raw_headers))
    if hasattr(result, "__anext__") or hasattr(result, "__next__") or hasattr(result, "raw_headers"):
        fix = "Declare it as a generator: then it runs in the node. Or leave out isolate: worker."
        raise EncodeError("a worker process cannot answer with a stream or a file", where=where, fix=fix)
    return Value(codec.encode(result))


def read_value(value: Value, signature: Call | None) -> Any:
    """The result as the entry declares it; plain data where it declares nothing, or returned something else."""
    if value.status:
        return Answered(value)
    if value.plain:
        return value.body
    data = msgspec.json.decode(value.body)
    declared = _declared(signature)[1] if signature is not None else Any
    try:
        return _as(data, declared)
    except Exception:  # noqa: BLE001 - whoever asked says what is wrong with it
        return data


class Answered:
    """A whole HTTP response as an ASGI application."""

    def __init__(self, value: Value) -> None:
        self.status_code = value.status
        self.body = value.body
        self.raw_headers = [(bytes(name), bytes(text)) for name, text in value.headers]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = [pair for pair in self.raw_headers if pair[0] not in (b"content-length", b"transfer-encoding")]
        bodiless = self.status_code in (204, 304)
        if not bodiless:
            headers.append((b"content-length", b"%d" % len(self.body)))
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if bodiless else self.body})


@lru_cache(maxsize=512)
def _declared(signature: Call) -> tuple[dict[str, Any], Any]:
    """The annotations of the parameters, and that of the result; Any where there is none."""
    read = inspect.signature(signature)
    kinds = {name: _known(parameter.annotation) for name, parameter in read.parameters.items()}
    return kinds, _known(read.return_annotation)


def _known(annotation: Any) -> Any:
    return Any if annotation is inspect.Signature.empty or isinstance(annotation, str) else annotation


def _as(value: Any, kind: Any) -> Any:
    return value if kind is Any or value is None else codec.convert(value, kind)
