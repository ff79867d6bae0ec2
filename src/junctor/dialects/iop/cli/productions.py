"""``--default``, ``--start``, ``--stop``, ``--kill``, ``--restart``, ``--update``."""

from __future__ import annotations

import argparse

import click

from junctor.dialects.iop.cli.parser import NOT_GIVEN
from junctor.dialects.iop.director.local import LocalDirector
from junctor.dialects.iop.director.running import run_here


def named(value: str) -> str | None:
    """The argument of a flag, None where it was given without one."""
    return None if value == NOT_GIVEN else value


def default(given: argparse.Namespace, director: LocalDirector) -> None:
    """Show or set it."""
    name = named(given.default)
    if name is None:
        click.echo(director.get_default_production() or "Not defined")
    else:
        director.set_default_production(name)


def start(given: argparse.Namespace, director: LocalDirector) -> int:
    """Run it here until Ctrl-C, or beside this terminal."""
    name = named(given.start)
    if not given.detach:
        place = director.place
        return run_here(place, place.meant(name, running=False).name)
    click.echo(f"Production {director.start_production(name)} started")
    return 0


def stop(given: argparse.Namespace, director: LocalDirector) -> None:
    """Stop what runs."""
    click.echo(f"Production {director.stop_production()} stopped")


def kill(given: argparse.Namespace, director: LocalDirector) -> None:
    """End what runs."""
    director.shutdown_production()


def restart(given: argparse.Namespace, director: LocalDirector) -> None:
    """Stop what runs and start it again."""
    director.restart_production()


def update(given: argparse.Namespace, director: LocalDirector) -> None:
    """Let what runs take over what was migrated. As in iop nothing is said; ``--status`` tells before what it would
    change."""
    director.update_production()
