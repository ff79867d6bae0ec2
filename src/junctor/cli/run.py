"""``junctor run``: a node from one or more flows."""

from __future__ import annotations

import click

from junctor.cli.options import FlowArguments, optional_flow_options
from junctor.node.process.launch import Options, launch
from junctor.node.transports import TRANSPORTS
from junctor.observe.logs import LEVELS


@click.command("run")
@optional_flow_options
@click.option("--store", metavar="PATH", help="The data directory; $JUNCTOR_STORE or ./.junctor/FLOW by default.")
@click.option("--host", metavar="ADDRESS", help="Listen here; 127.0.0.1 by default.")
@click.option("--port", type=click.IntRange(0, 65535), help="Listen on this port; $PORT or 8080 by default.")
@click.option("--transport", type=click.Choice(TRANSPORTS), default="sqlite", help="The default keeps messages.")
@click.option("--log-level", type=click.Choice(LEVELS), default="info", show_default=True, help="What is logged.")
@click.option("--reload", is_flag=True, help="Follow what is saved: only services that it concerns start anew.")
def command(
    flows: FlowArguments,
    store: str | None,
    host: str | None,
    port: int | None,
    transport: str,
    log_level: str,
    reload: bool,
) -> int:
    """Run flows until Ctrl-C.

    TARGET is a flow file (flow.yaml), a service file (cpu.py), a folder with one, a module, or one thing in it
    (cpu.py:Cpu, package.module:flow). Several targets are several flows on one node; without one, it is this folder.
    """
    options = Options(transport=transport, store=store, host=host, port=port, log_level=log_level, reload=reload)
    return launch(flows.or_here().load, options)
