"""``--migrate`` and ``--init``."""

from __future__ import annotations

import argparse

import click

from junctor.dialects.iop.director.local import LocalDirector


def migrate(given: argparse.Namespace, director: LocalDirector) -> None:
    """Print the plan, and register what it says."""
    raise NotImplementedError


def init(given: argparse.Namespace, director: LocalDirector) -> None:
    """Nothing is to be done."""
    click.echo("Nothing to initialize: productions run without a database.")
