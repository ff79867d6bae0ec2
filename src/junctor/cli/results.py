"""Printing what an action or a request answered."""

from __future__ import annotations

from typing import Any

import click

from junctor.cli import words
from junctor.observe.logs import readable


def print_result(value: Any, as_json: bool) -> None:
    """Nothing for None, a text as it is, anything else as JSON; always JSON where asked for."""
    if as_json:
        click.echo(words.json_text(value))
    elif isinstance(value, str):
        click.echo(readable(value))
    elif value is not None:
        click.echo(words.json_text(value))
