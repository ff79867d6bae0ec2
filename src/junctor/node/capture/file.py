"""The format of a capture: one JSON object. docs/reference/capture.md says the same to its readers.

A field that is added keeps the version, and readers ignore fields that they do not know. Whatever else changes raises
it; a file of a newer version is refused.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from junctor.errors import JunctorError

FORMAT = "junctor-capture"
VERSION = 1

LARGEST = 256 * 1024 * 1024
"""Bytes of a file that is read: a capture is at most a fourth of it, indented."""


class CaptureUnusable(JunctorError):
    """A file is no capture, was cut off, or is of a newer version."""

    code = "capture-unusable"
    default_fix = "Make it again: junctor capture SESSION -o FILE."
    status = 422


class Fault(msgspec.Struct, omit_defaults=True):
    """An error, as text. ``line`` is the user's own line."""

    type: str
    text: str
    traceback: str = ""
    line: str = ""


class CapturedAttempt(msgspec.Struct):
    """A failed attempt; ``settlement`` says what followed."""

    number: int
    began: datetime
    seconds: float
    settlement: str
    error: Fault


class CapturedReply(msgspec.Struct, omit_defaults=True):
    """The answer to a request; ``late`` when its requester had given up. ``masked`` as in a hop."""

    type: str
    body: Any
    version: int = 1
    late: bool = False
    masked: list[str] = []


class CapturedLog(msgspec.Struct):
    """A line that was logged while the hop ran."""

    time: datetime
    level: str
    logger: str
    text: str


class CapturedNote(msgspec.Struct):
    """What an operator said."""

    time: datetime
    who: str
    text: str


class CapturedHop(msgspec.Struct, omit_defaults=True, kw_only=True):
    """A message with what became of it. ``began`` and ``seconds`` are of its last attempt.

    ``cause`` is the number of the hop that made it, 0 for none. ``masked`` are the places in the body whose values are
    left out because they are sensitive: ``items.0.card``. The body of a ``damaged`` one is its text as far as it can be
    read. ``version`` is that of the type.
    """

    id: str
    number: int
    kind: str
    source: str
    target: str
    type: str
    time: datetime
    status: str
    body: Any
    version: int = 1
    cause: int = 0
    key: str | None = None
    headers: dict[str, str] = {}
    due: datetime | None = None
    deadline: datetime | None = None
    attempt: int = 0
    began: datetime | None = None
    seconds: float = 0.0
    masked: list[str] = []
    damaged: bool = False
    error: Fault | None = None
    reply: CapturedReply | None = None
    attempts: list[CapturedAttempt] = []
    logs: list[CapturedLog] = []
    notes: list[CapturedNote] = []


class CapturedCode(msgspec.Struct, omit_defaults=True, kw_only=True):
    """Where the code of a service came from. ``file`` is relative to the project, ``sha256`` of that file as it is now;
    ``changed``: since the node started. ``commit`` is the Git commit that the project stands at."""

    module: str = ""
    name: str = ""
    distribution: str = ""
    file: str = ""
    sha256: str = ""
    changed: bool = False
    commit: str = ""


class CapturedWay(msgspec.Struct, omit_defaults=True):
    """Where a connection leads, and the condition that a body must meet."""

    to: str
    when: str = ""


class CapturedService(msgspec.Struct, omit_defaults=True, kw_only=True):
    """A service that a hop came from or went to. ``hidden`` names the settings whose values are left out."""

    address: str
    dialect: str = ""
    code: CapturedCode = msgspec.field(default_factory=CapturedCode)
    isolate: str = ""
    settings: dict[str, Any] = {}
    hidden: list[str] = []
    policies: dict[str, Any] = {}
    connections: dict[str, list[CapturedWay]] = {}


class CapturedFlow(msgspec.Struct, omit_defaults=True):
    """A flow, as a flow file; empty where it cannot be written as one, and ``problem`` says why."""

    name: str
    yaml: str = ""
    problem: str = ""


class CapturedNode(msgspec.Struct, kw_only=True):
    """Where it was captured."""

    name: str
    running: bool
    junctor: str
    python: str
    platform: str


class Capture(msgspec.Struct, kw_only=True):
    """A session. ``asked`` is the number of the message it was asked for by, 0 for none. ``left_out`` counts hops that
    were beyond the limits; ``missing`` says in sentences what else is not in the file, and why."""

    format: str
    version: int
    made: datetime
    session: str
    node: CapturedNode
    asked: int = 0
    left_out: int = 0
    missing: list[str] = []
    flows: list[CapturedFlow] = []
    services: list[CapturedService] = []
    hops: list[CapturedHop] = []


class _Head(msgspec.Struct):
    format: Any = None
    version: Any = None


def written(capture: Capture) -> str:
    """The content of a file."""
    return f"{msgspec.json.format(msgspec.json.encode(capture), indent=1).decode()}\n"


def read_capture(path: Path) -> Capture:
    """The capture in a file.

    :raises CaptureUnusable: it cannot be read, is no capture, was cut off or is of a newer version.
    """
    where = str(path)
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise CaptureUnusable(f"it has {size:,} bytes, more than a capture ever has", where=where)
        data = path.read_bytes()
    except OSError as error:
        fix = "Give the path of a file that `junctor capture` wrote."
        raise CaptureUnusable(f"it cannot be read: {error.strerror or error}", where=where, fix=fix) from error
    return decoded(data, where)


def decoded(data: bytes, where: str) -> Capture:
    """The capture in these bytes.

    :raises CaptureUnusable: as :func:`read_capture`.
    """
    if not data.strip():
        raise CaptureUnusable("the file is empty", where=where)
    try:
        head = msgspec.json.decode(data, type=_Head)
    except msgspec.ValidationError:
        head = _Head()
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CaptureUnusable(f"the file is cut off or no JSON: {error}", where=where) from error
    if head.format != FORMAT or not isinstance(head.version, int):
        fix = "Give the path of a file that `junctor capture` wrote."
        raise CaptureUnusable(f'the file is no capture: "format" is not "{FORMAT}"', where=where, fix=fix)
    if head.version > VERSION:
        what = f"the capture has version {head.version}, known are up to {VERSION}"
        raise CaptureUnusable(what, where=where, fix="Replay it with the version of Junctor that made it, or a newer.")
    try:
        return msgspec.json.decode(data, type=Capture)
    except msgspec.ValidationError as error:
        text, _, place = str(error).partition(" - at ")
        raise CaptureUnusable(f"{place.strip('`') or 'the capture'}: {text}", where=where) from error
