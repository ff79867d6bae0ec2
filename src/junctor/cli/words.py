"""How values are written for people: times, durations, sizes; and read: instants of the past, JSON bodies."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import msgspec

from junctor.clock import parse_duration
from junctor.messages import codec
from junctor.node.views.words import clock, duration, safe, short, size
from junctor.observe.logs import readable_json

__all__ = (
    "body",
    "clock",
    "distinct",
    "duration",
    "instant",
    "json_line",
    "json_text",
    "safe",
    "seconds",
    "short",
    "size",
)


def distinct(sessions: Iterable[str]) -> dict[str, str]:
    """A short form of each session: its last eight digits, which the node counts up, or its first where they differ
    and the last do not, as for sessions that came from elsewhere."""
    whole = set(sessions)
    short_forms = {session: session[-8:] for session in whole}
    if len(set(short_forms.values())) < len(whole):
        short_forms = {session: session[:8] for session in whole}
    return short_forms


def json_line(value: Any) -> str:
    """A value as JSON on one line."""
    return readable_json(msgspec.json.encode(codec.to_plain(value)).decode())


def json_text(value: Any) -> str:
    """A value as indented JSON, for ``--json``."""
    return readable_json(msgspec.json.format(msgspec.json.encode(codec.to_plain(value)), indent=2).decode())


def instant(text: str) -> datetime:
    """An instant from ``10m`` (ago), ``14:30`` (today, or yesterday when that is still to come) or ISO 8601.

    Without a zone it is local time.

    :raises click.BadParameter: it is none of these.
    """
    now = datetime.now().astimezone()
    try:
        return now.astimezone(UTC) - timedelta(seconds=parse_duration(text))
    except ValueError:
        pass
    try:
        if len(text) in (5, 8) and text[2] == ":":
            today = datetime.combine(now.date(), datetime.strptime(text, "%H:%M:%S"[: len(text)]).time()).astimezone()
            return (today if today <= now else today - timedelta(days=1)).astimezone(UTC)
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise click.BadParameter(f'"{text}" is not a time: write 10m (ago), 14:30, or 2026-11-20T14:30') from None


def seconds(text: str | None) -> float | None:
    """Seconds of ``30s`` or ``5m``; None for None.

    :raises click.BadParameter: it is not a duration.
    """
    try:
        return parse_duration(text) if text else None
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def body(text: str) -> msgspec.Raw:
    """A JSON body from the command line: the text itself, ``@file``, or ``-`` for standard input.

    :raises click.BadParameter: it is not JSON, or the file cannot be read.
    """
    try:
        if text == "-":
            data = sys.stdin.buffer.read()
        else:
            data = Path(text[1:]).read_bytes() if text.startswith("@") else text.encode()
    except OSError as error:
        raise click.BadParameter(f"{text[1:]} cannot be read: {error.strerror or error}") from error
    try:
        msgspec.json.decode(data)
    except RecursionError:
        raise click.BadParameter("the body is nested too deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        hint = f""" A text needs quotes of its own: '"{short(text, 20)}"'.""" if text.isalnum() else ""
        raise click.BadParameter(f"the body is not JSON: {error}.{hint}") from error
    return msgspec.Raw(data)
