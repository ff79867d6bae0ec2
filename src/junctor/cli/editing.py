"""Editing the body of a message before it is sent again: in the user's editor, until it fits."""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import msgspec

from junctor.cli import words
from junctor.errors import JunctorError
from junctor.node.control.client import NodeClient
from junctor.node.views.messages import MessageView
from junctor.node.views.stopped import PATIENCE


class EditNotSent(JunctorError):
    """An edited body was not sent: it does not fit, or nothing was changed in it. What was written is kept in a
    file."""

    code = "edit-not-sent"
    default_fix = "Nothing was sent; edit it once more."
    status = 422


def edited(client: NodeClient, which: str, arguments: dict[str, Any]) -> msgspec.Raw:
    """The body as the user left it in the editor, once the handler takes it.

    :param arguments: those of the resend, for the check.
    :raises EditNotSent: nothing was changed, or it does not fit and nobody edits it again.
    """
    message: MessageView = client.ask("body", MessageView, patience=PATIENCE, which=which)
    text = words.json_text(message.body) + "\n"
    while True:
        changed = _typed(text, message.id)
        if changed == text:
            fix = f"Nothing was sent. `junctor resend {which}` sends it as it is."
            raise EditNotSent("nothing was changed", where=f"message {message.id}", fix=fix)
        text = changed
        problem = _problem(client, text, arguments)
        if problem is None:
            return msgspec.Raw(text.encode())
        click.echo(f"not sent: {words.safe(problem)}", err=True)
        if not _again():
            fix = f"Your text is kept; correct it and run: junctor resend {which} --body @{keep(which, text)}."
            raise EditNotSent("the edited body does not fit", where=f"message {message.id}", fix=fix)


def _typed(text: str, name: str) -> str:
    """What the editor made of the text.

    :raises EditNotSent: it is no text any more, or the file is gone.
    """
    with _leaving_nothing(), tempfile.TemporaryDirectory(prefix="junctor-edit-") as folder:
        # In a folder of its own, where an editor puts its copies too.
        path = Path(folder, f"{name}.json")
        path.touch(mode=0o600)  # should the folder outlive us
        path.write_text(text, encoding="utf-8")
        click.edit(filename=str(path))
        try:
            return path.read_text(encoding="utf-8-sig")
        except FileNotFoundError as error:
            raise EditNotSent("the editor left no file", where=f"message {name}") from error
        except UnicodeDecodeError as error:
            fix = "Nothing was sent. Let the editor write UTF-8."
            raise EditNotSent("what the editor wrote is not UTF-8", where=f"message {name}", fix=fix) from error


@contextmanager
def _leaving_nothing() -> Iterator[None]:
    """Let a signal that ends the process unwind it first. The editor's own end is for whoever sent the signal."""
    ending = [number for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) == signal.SIG_DFL]
    for number in ending:
        signal.signal(number, _end)
    try:
        yield
    finally:
        for number in ending:
            signal.signal(number, signal.SIG_DFL)


def _end(number: int, frame: object) -> None:
    raise SystemExit(128 + number)


def _problem(client: NodeClient, text: str, arguments: dict[str, Any]) -> str | None:
    """What is wrong with the text; None when it can be sent."""
    try:
        json.loads(text)  # its errors have line and column
        msgspec.json.decode(text)  # and no NaN is JSON
    except RecursionError:
        return "this is nested too deeply"
    except (ValueError, msgspec.DecodeError) as error:
        return f"this is not JSON: {error}"
    given = {**arguments, "body": msgspec.Raw(text.encode())}
    preview = client.ask("resend-preview", patience=PATIENCE, **given)
    return str(preview["refusals"][0]["error"]["text"]) if preview.get("refused") else None


def _again() -> bool:
    """Whether somebody edits it once more."""
    if not sys.stdin.isatty():
        return False
    try:
        return click.confirm("edit it again?", default=True, err=True)
    except click.Abort:
        return False


def keep(which: str, text: str) -> str:
    """Write the text to a file that only this user reads; its path."""
    file, path = tempfile.mkstemp(prefix=f"junctor-{which}-", suffix=".json")
    with os.fdopen(file, "w") as out:
        out.write(text)
    return path
