"""``junctor run``: a node from a file, a class or a flow."""

from __future__ import annotations

from pathlib import Path

import click

from junctor.errors import ConfigurationError
from junctor.flows import load
from junctor.node.flow import Flow
from junctor.node.launch import Options, launch
from junctor.node.node import TRANSPORTS
from junctor.observe.logs import LEVELS


@click.command("run")
@click.argument("target", metavar="TARGET")
@click.option("--store", metavar="PATH", help="The data directory; $JUNCTOR_STORE or ./.junctor/FLOW by default.")
@click.option("--host", metavar="ADDRESS", help="Listen here; 127.0.0.1 by default.")
@click.option("--port", type=click.IntRange(0, 65535), help="Listen on this port; $PORT or 8080 by default.")
@click.option("--transport", type=click.Choice(TRANSPORTS), default="sqlite", help="The default keeps messages.")
@click.option("--log-level", type=click.Choice(LEVELS), default="info", show_default=True, help="What is logged.")
@click.option("--set", "settings", multiple=True, metavar="SERVICE.SETTING=VALUE", help="Change a setting; repeatable.")
@click.option("--name", metavar="NAME", help="The name of the flow; from the file by default.")
def command(
    target: str,
    store: str | None,
    host: str | None,
    port: int | None,
    transport: str,
    log_level: str,
    settings: tuple[str, ...],
    name: str | None,
) -> int:
    """Run services until Ctrl-C.

    TARGET is a file (cpu.py), a folder with one, a module, or one thing in it (cpu.py:Cpu, package.module:flow).
    """
    options = Options(transport=transport, store=store, host=host, port=port, log_level=log_level)
    return launch(lambda: _flow(target, name, settings), options)


def _flow(target: str, name: str | None, settings: tuple[str, ...]) -> Flow:
    flow = Flow.of(load(_in_folder(target)), name)
    for text in settings:
        setting, sign, value = text.partition("=")
        if not sign:
            raise ConfigurationError(f'"{text}" has no value', where="--set", fix="Write service.setting=value.")
        flow.change(setting, value)
    return flow


def _in_folder(target: str) -> str:
    """The file that a folder stands for: flow.py, main.py, the file of its own name, or its only one."""
    place, colon, attribute = target.partition(":")
    folder = Path(place)
    if not folder.is_dir() or (folder / "__init__.py").exists():
        return target
    own = folder.resolve().name.replace("-", "_")
    for name in ("flow.py", "main.py", f"{own}.py"):
        if (folder / name).is_file():
            return f"{folder / name}{colon}{attribute}"
    files = list(folder.glob("*.py"))
    return f"{files[0]}{colon}{attribute}" if len(files) == 1 else target
