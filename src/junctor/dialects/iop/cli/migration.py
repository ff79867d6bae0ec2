"""``--migrate`` and ``--init``."""

from __future__ import annotations

import argparse

import click

from junctor.dialects.iop.cli.parser import NOT_GIVEN
from junctor.dialects.iop.director.local import LocalDirector


def migrate(given: argparse.Namespace, director: LocalDirector) -> None:
    """Print the plan, and register what it says."""
    from junctor.dialects.iop.migration.migration import plan_migration

    plan = plan_migration(given.migrate)
    click.echo(plan.text)
    if given.dry_run:
        return
    plan.apply(strict=given.strict_production_validation)
    where = f" in namespace {director.namespace}" if given.namespace not in (None, NOT_GIVEN) else ""
    click.echo(f"Migration succeeded{where}: {given.migrate}")


def init(given: argparse.Namespace, director: LocalDirector) -> None:
    """Nothing is to be done."""
    click.echo("Nothing to initialize: productions run without a database.")
