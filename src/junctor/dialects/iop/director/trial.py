"""The testing service: a request to one item, and its reply."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import msgspec

from junctor.dialects.iop.director.place import Namespace
from junctor.errors import ConfigurationError, JunctorError, nearest
from junctor.messages import codec, type_name
from junctor.messages.types import is_body_class

PATIENCE = 300.0
"""Seconds for the reply."""


class TestingDisabled(JunctorError):
    """The production does not allow its items to be tested."""

    code = "iop-testing-disabled"
    default_fix = 'Set testing_enabled=True (@TestingEnabled "true"), then: iop --migrate FILE and iop --update.'
    status = 403

    __test__ = False  # no test of pytest


class Reply(msgspec.Struct):
    """What an item answered: the name of the class, empty for plain data or nothing, and its JSON."""

    type: str
    body: msgspec.Raw

    @property
    def value(self) -> Any:
        """The body as JSON values."""
        return msgspec.json.decode(self.body)


def tried(place: Namespace, target: str | None, message: Any, classname: str | None, body: Any) -> Reply:
    """Send a request to an item of the production that runs.

    :param message: an object; or ``classname`` with ``body``, its JSON as text or as values.
    :raises NoProduction: none runs.
    :raises TestingDisabled: the production does not allow it, as in InterSystems IRIS.
    :raises ConfigurationError: it has no such item, or the body is no JSON.
    """
    name, client = place.client()
    with contextlib.closing(client):
        production = place.registry().production(name)
        if not production.testing_enabled:
            raise TestingDisabled(f"production {name} does not allow tests", where=name)
        items = [item.name for item in production.items]
        if target not in items:
            what = f"the production has no item {target}" if target else "no target is given"
            fix = nearest(target or "", items).rstrip() or None
            raise ConfigurationError(what, where=name, fix=fix)
        given, kind = _given(message, classname, body)
        answer: Reply = client.ask("iop-test", Reply, patience=PATIENCE, item=target, body=given, type=kind)
        return answer


def _given(message: Any, classname: str | None, body: Any) -> tuple[msgspec.Raw, str]:
    if message is not None:
        kind = type(message)
        return msgspec.Raw(codec.encode(message)), type_name(kind) if is_body_class(kind) else classname or ""
    if not isinstance(body, str):
        return msgspec.Raw(codec.encode(body if body is not None or not classname else {})), classname or ""
    if not classname and not body:
        return msgspec.Raw(b"null"), ""
    return msgspec.Raw(_json(body or "{}")), classname or ""


def _json(text: str) -> bytes:
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        fix = """Write it as JSON: -B '{"text": "hello"}', or name a file: -B @body.json."""
        raise ConfigurationError(f"the body is no JSON: {error}", where="body", fix=fix) from error
    return text.encode()


def read_body(body: str, folder: Path | None = None) -> str:
    """The text of a body, from its file where ``@file.json`` says so.

    :raises ConfigurationError: the file cannot be read.
    """
    if not body.startswith("@"):
        return body
    path = (folder or Path()) / body[1:]
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigurationError(f"the file cannot be read: {reason}", where=body, fix="Name another.") from error
