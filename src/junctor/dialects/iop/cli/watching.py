"""``--list``, ``--status``, ``--queue``, ``--log``, ``--test``: how productions are, and what they say."""

from __future__ import annotations

import argparse
import json
from typing import Any

import click

from junctor.dialects.iop.cli.parser import Misused
from junctor.dialects.iop.cli.productions import named
from junctor.dialects.iop.director.local import LocalDirector
from junctor.dialects.iop.director.trial import read_body, tried


def print_json(value: Any) -> None:
    """As iop prints it."""
    click.echo(json.dumps(value, indent=4, ensure_ascii=False))


def list_(given: argparse.Namespace, director: LocalDirector) -> None:
    """All productions of the namespace."""
    print_json(director.list_productions())


def status(given: argparse.Namespace, director: LocalDirector) -> None:
    """The production that runs, or the default one."""
    print_json(director.status_production())


def queue(given: argparse.Namespace, director: LocalDirector) -> None:
    """How many messages wait for each item."""
    print_json(director.export_production_queue_info(named(given.queue)))


def log(given: argparse.Namespace, director: LocalDirector) -> None:
    """The last rows, or all that come."""
    count = named(given.log)
    if count is None:
        director.log_production()
    elif count.isdecimal():
        director.log_production_top(int(count))
    else:
        raise Misused(f"--log takes a number of rows, not {count}", fix="Write iop --log 20.")


def test(given: argparse.Namespace, director: LocalDirector) -> None:
    """A request to an item, and its reply."""
    body = read_body(given.body) if given.body is not None else None
    reply = tried(director.place, named(given.test), None, given.classname, body)
    click.echo(f"classname: {reply.type}")
    click.echo("body:")
    print_json(reply.value)
