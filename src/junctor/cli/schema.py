"""``junctor schema``: the JSON Schema of flow files."""

from __future__ import annotations

import json

import click


@click.command("schema")
@click.argument("targets", metavar="[TARGET]...", nargs=-1)
def command(targets: tuple[str, ...]) -> None:
    """Print the JSON Schema of flow files, for editors.

    With a TARGET, a flow file or a Python file, it knows the services in it: their settings with types, bounds and
    defaults, their targets and schedules.

    \b
      junctor schema flow.yaml > flow.schema.json
    and in the first line of flow.yaml
      # yaml-language-server: $schema=flow.schema.json
    """
    from junctor.flows import load
    from junctor.flows.files.schema import flow_schema

    click.echo(json.dumps(flow_schema([load(target) for target in targets]), indent=2, ensure_ascii=False))
