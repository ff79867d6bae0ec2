"""``junctor graph``: flows as a drawing, or as a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from junctor.cli.options import FlowArguments, optional_flow_options
from junctor.cli.output import form_of, write
from junctor.flows import wire, wire_all

if TYPE_CHECKING:
    from junctor.flows import Wiring


_COLOURS = {"flow": ("", True), "service": ("cyan", True), "entry": ("bright_black", False), "when": ("magenta", False)}


@click.command("graph")
@optional_flow_options
@click.option("--mermaid", "form", flag_value="mermaid", help="As Mermaid, for pages that draw it.")
@click.option("--svg", "form", flag_value="svg", help="As an SVG picture.")
@click.option("--yaml", "form", flag_value="yaml", help="As a flow file, with all connections by name.")
@click.option("--json", "form", flag_value="json", help="As JSON, for scripts.")
@click.option(
    "-o", "--output", metavar="FILE", help="Write there; the ending .svg, .mmd, .yaml, .json or .txt says what."
)
def command(flows: FlowArguments, form: str | None, output: str | None) -> None:
    """Draw flows: services, how they are entered, where their targets lead, with types and conditions.

    Without an option it is text; without a TARGET it is this folder. Several are drawn as the flows of one node; where
    a single one leads to another flow, that is not looked at.
    """
    form = form or (form_of(output, _FORMS) if output else None)
    models = flows.or_here().load()
    wirings = wire_all(models) if len(models) > 1 else [wire(models[0])]
    drawn = _drawn(wirings, form, colours=output is None)
    if output is None:
        click.echo(drawn.rstrip("\n"))
    else:
        write(Path(output), drawn if drawn.endswith("\n") else f"{drawn}\n")


_FORMS = {
    ".svg": "svg",
    ".mmd": "mermaid",
    ".mermaid": "mermaid",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".json": "json",
    ".txt": "text",
}


def _drawn(wirings: list[Wiring], form: str | None, *, colours: bool) -> str:
    if form == "yaml":
        return _as_yaml(wirings)
    from junctor.flows import graph

    drawing = graph.drawing_of(wirings)
    if form == "json":
        from junctor.cli.words import json_text

        return json_text(drawing)
    if form == "mermaid":
        return graph.mermaid(drawing)
    if form == "svg":
        return graph.svg(drawing)
    return graph.text(drawing, _coloured) if colours else graph.text(drawing)


def _as_yaml(wirings: list[Wiring]) -> str:
    from junctor.flows.files.written import flow_yaml

    if len(wirings) > 1:
        raise click.UsageError("a file holds one flow: give one TARGET with --yaml")
    return flow_yaml(wirings[0])


def _coloured(text: str, what: str) -> str:
    from junctor.cli.words import safe

    colour, bold = _COLOURS.get(what, ("", False))
    return click.style(safe(text), fg=colour or None, bold=bold or None)
