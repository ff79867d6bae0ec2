"""``junctor adapters``: what can be named with ``adapter:`` in a flow file, and how it is set."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import click

from junctor.cli import completing, tables
from junctor.cli.options import json_option
from junctor.cli.words import json_line, json_text, safe

if TYPE_CHECKING:
    from junctor.adapters.catalogue import AdapterEntry, SettingEntry


@click.command("adapters")
@click.argument("name", required=False, shell_complete=completing.adapters)
@json_option
def command(name: str | None, as_json: bool) -> None:
    """List the adapters that are installed, or show one with its settings.

    Adapters are services for the edges of a flow: files, HTTP, SQL, MQTT and others. A flow file names one with
    "adapter: NAME" in the place of a class. Other packages may bring more.
    """
    from junctor.adapters.catalogue import catalogue, entry_of

    found = [entry_of(name)] if name else catalogue()
    if as_json:
        click.echo(json_text(found[0] if name else found))
    elif name:
        _show(found[0])
    else:
        _list(found)


def _list(found: list[AdapterEntry]) -> None:
    rows = [(one.name, one.side, one.problem or one.doc, _needs(one)) for one in found]
    tables.show(("adapter", "side", "does", "extra"), rows)


def _needs(one: AdapterEntry) -> str:
    """The extra, and whether it is there."""
    if one.install:
        return f"{one.extra} (not installed)".strip()
    return f"{one.extra} (installed)" if one.extra else ""


def _show(one: AdapterEntry) -> None:
    click.echo(click.style(one.name, bold=True) + f"  {one.side}  {safe(one.distribution)}, {safe(one.code)}")
    for text in (textwrap.fill(one.doc, 110), one.about):
        if text:
            click.echo("\n" + "\n".join(f"  {safe(line)}".rstrip() for line in text.splitlines()))
    if one.extra or one.install:
        fix = f'not installed: pip install "{one.install}"' if one.install else "installed"
        click.echo(f"\nextra {one.extra or one.install}: {fix}")
    if one.settings:
        click.echo("\nsettings")
        rows = [(each.name, _takes(each), _default(each), each.doc) for each in one.settings]
        tables.show(("setting", "takes", "default", "does"), rows)
    _ways(one)
    click.echo("\nin a flow file\n  services:")
    click.echo("\n".join(f"    {safe(line)}" for line in one.example.splitlines()))


def _takes(setting: SettingEntry) -> str:
    return f"{setting.takes} {setting.unit}".strip() + (", secret" if setting.secret else "")


def _default(setting: SettingEntry) -> str:
    if setting.required:
        return "required"
    return "" if setting.default is None or setting.secret else json_line(setting.default)


def _ways(one: AdapterEntry) -> None:
    if one.targets or one.handlers:
        click.echo("")
    for target in one.targets:
        replies = f", waits for {target.replies}" if target.replies else ""
        click.echo(f"target {target.name} sends {target.sends}{replies}" + (", may lead nowhere" * target.optional))
    for handler in one.handlers:
        replies = f" -> {handler.replies}" if handler.replies else ""
        doc = f"  {handler.doc}" if handler.doc else ""
        click.echo(safe(f"takes {handler.takes}{replies}{doc}"))
