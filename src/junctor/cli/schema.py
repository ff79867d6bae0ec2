"""``junctor schema``: the JSON Schema of flow files."""

from __future__ import annotations

import json

import click


@click.command("schema")
@click.argument("targets", metavar="[TARGET]...", nargs=-1)
def command(targets: tuple[str, ...]) -> None:
    """Print the JSON Schema of flow files, for editors.

    With a TARGET, a flow file or a Python file, it knows the services in it: their settings with types, bounds and
    defaults, their targets and schedules. Only the classes count: variables need not be set.

    \b
      junctor schema flow.yaml > flow.schema.json
    and in the first line of flow.yaml
      # yaml-language-server: $schema=flow.schema.json
    """
    from junctor.flows import Overrides, load
    from junctor.flows.files.schema import flow_schema

    flows = [load(target, Overrides(incomplete=True)) for target in targets]
    click.echo(json.dumps(flow_schema(flows), indent=2, ensure_ascii=False))
