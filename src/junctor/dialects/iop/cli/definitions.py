"""``--export``, ``--bindings``, ``--unbind``, ``--version``: what the namespace knows."""

from __future__ import annotations

import argparse

import click

from junctor import __version__
from junctor.dialects.iop.cli.productions import named
from junctor.dialects.iop.cli.watching import print_json
from junctor.dialects.iop.director.local import LocalDirector


def export(given: argparse.Namespace, director: LocalDirector) -> None:
    """A production: as data, as Python, or as a picture."""
    if given.format == "class":
        raise NotImplementedError("--format class is not offered: there is no ObjectScript here; use json or python")
    if given.format == "json":
        print_json(director.export_production(named(given.export)))
        return
    from junctor.dialects.iop.production import Production

    place = director.place
    # With its classes, which tell what the items are and where they send.
    production = Production.from_definition(place.meant(named(given.export)), place.registry().component)
    if given.format == "python":
        click.echo(production.to_python())
    elif given.format == "mermaid":
        click.echo(production.to_mermaid())
    else:
        click.echo(production.graph().to_text())


def bindings(given: argparse.Namespace, director: LocalDirector) -> None:
    """The registered classes."""
    print_json(director.list_bindings(given.unused))


def unbind(given: argparse.Namespace, director: LocalDirector) -> None:
    """Forget a registered class."""
    director.unbind_component(given.unbind)
    click.echo(f"Removed binding {given.unbind}.")


def version(given: argparse.Namespace, director: LocalDirector) -> None:
    """The version of Junctor."""
    click.echo(__version__)
