"""``junctor graph``: flows as a drawing, or as a file."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from junctor.cli.options import FlowArguments, optional_flow_options
from junctor.errors import JunctorError
from junctor.flows import wire, wire_all

if TYPE_CHECKING:
    from junctor.flows import Wiring


class NotWritten(JunctorError):
    """The drawing could not be written where it was asked for."""

    code = "not-written"


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
    form = form or (_form_of(output) if output else None)
    models = flows.or_here().load()
    wirings = wire_all(models) if len(models) > 1 else [wire(models[0])]
    drawn = _drawn(wirings, form, colours=output is None)
    if output is None:
        click.echo(drawn.rstrip("\n"))
    else:
        _write(Path(output), drawn if drawn.endswith("\n") else f"{drawn}\n")


_FORMS = {
    ".svg": "svg",
    ".mmd": "mermaid",
    ".mermaid": "mermaid",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".json": "json",
    ".txt": "text",
}


def _form_of(output: str) -> str:
    """:raises click.BadParameter: the ending of the file says nothing."""
    ending = Path(output).suffix.lower()
    if ending not in _FORMS:
        what = f'the ending "{ending}" is not known' if ending else "the name has no ending"
        fix = f"End it with {', '.join(_FORMS)}, or say --svg, --mermaid, --yaml or --json."
        raise click.BadParameter(f"{what}. {fix}", param_hint=f"-o {output}")
    return _FORMS[ending]


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


def _write(path: Path, text: str) -> None:
    """The file in one step: who reads it meanwhile gets the old one, whole."""
    folder = path.absolute().parent
    if path.is_dir():
        raise NotWritten("this is a folder", where=f"-o {path}", fix=f"Name a file in it: {path / 'flow.svg'}.")
    if not folder.is_dir():
        raise NotWritten(
            f"there is no folder {path.parent}", where=f"-o {path}", fix=f"Make it: mkdir -p {path.parent}"
        )
    try:
        _replace(path, folder, text)
    except OSError as error:
        fix = f"Give a place that this user can write; {path.parent} is not, or has no room."
        raise NotWritten(f"it cannot be written: {error.strerror or error}", where=f"-o {path}", fix=fix) from error
    click.echo(f"{path} is written", err=True)


def _replace(path: Path, folder: Path, text: str) -> None:
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=folder, prefix=f".{path.name}.", delete=False) as file:
        try:
            file.write(text)
            file.flush()
            os.chmod(file.name, 0o644)
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise
