"""Fills pages of the site from the code: the commands from the command line itself, the words of flow files from their
schema, adapters with their settings, and cross references of docstrings as plain names.

A page says where: ``<!-- commands -->``, ``<!-- flow-schema -->``, ``<!-- adapters -->`` for the list of them,
``<!-- adapter file-in -->`` for the settings and targets of one, ``<!-- provider azure-iot-hub -->`` for the settings
of a provider of the adapter com.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

import click

_OUTSIDE = re.compile(r"\[([^\]]+)\]\((?:\.\./)+(?:examples|src|tests|[A-Z]+)\b[^)]*\)")
"""A link into the checkout, which a page in the repository has and the site cannot have."""

_ROLE = re.compile(r":(?:class|func|meth|attr|mod|data|exc):<code>~?([\w.]+)</code>")

_ADAPTER = re.compile(r"<!-- adapter ([a-z-]+) -->")
_PROVIDER = re.compile(r"<!-- provider ([a-z-]+) -->")


def on_page_markdown(markdown: str, **_: Any) -> str:
    markdown = _OUTSIDE.sub(r"\1", markdown)
    if "<!-- commands -->" in markdown:
        markdown = markdown.replace("<!-- commands -->", "\n".join(_commands()))
    if "<!-- flow-schema -->" in markdown:
        markdown = markdown.replace("<!-- flow-schema -->", "\n".join(_words()))
    if "<!-- adapters -->" in markdown:
        markdown = markdown.replace("<!-- adapters -->", "\n".join(_adapters()))
    markdown = _PROVIDER.sub(lambda found: "\n".join(_provider(found[1])), markdown)
    return _ADAPTER.sub(lambda found: "\n".join(_adapter(found[1])), markdown)


def on_page_content(html: str, **_: Any) -> str:
    return _ROLE.sub(lambda found: f"<code>{found[1].rpartition('.')[2]}</code>", html)


def _commands() -> list[str]:
    from junctor.cli.main import COMMANDS, cli

    lines = []
    for name in COMMANDS:
        context = click.Context(cli, info_name="junctor")
        command = cli.get_command(context, name)
        assert command is not None, name
        text = command.get_help(click.Context(command, info_name=name, parent=context))
        lines += [f"## junctor {name}", "", "```text", *text.splitlines(), "```", ""]
    return lines


def _adapters() -> list[str]:
    from junctor.adapters.catalogue import catalogue

    lines = ["| adapter | side | what it does | extra |", "|---|---|---|---|"]
    for one in catalogue():
        if one.distribution.startswith("junctor "):
            extra = f"`junctor[{one.extra}]`" if one.extra else ""
            lines.append(f"| `{one.name}` | {one.side} | {_one_line(one.doc)} | {extra} |")
    return lines


def _adapter(name: str) -> list[str]:
    from junctor.adapters.catalogue import entry_of

    one = entry_of(name)
    lines = _settings(one.settings)
    lines += ["", "| target | sends |", "|---|---|"] if one.targets else []
    for target in one.targets:
        replies = f", waits for {target.replies}" if target.replies else ""
        lines.append(f"| `{target.name}` | {target.sends}{replies}{', may lead nowhere' * target.optional} |")
    return lines


def _provider(name: str) -> list[str]:
    from junctor.adapters.catalogue import settings_of
    from junctor.dialects.microservicebus.com.providers.known import provider

    return _settings(settings_of(provider(name)))


def _settings(entries: Iterable[Any]) -> list[str]:
    lines = ["| setting | takes | default | meaning |", "|---|---|---|---|"]
    for each in entries:
        default = "" if each.default is None or each.secret else f"`{json.dumps(each.default)}`"
        takes = f"{each.takes} {each.unit}".strip() + (", secret" if each.secret else "")
        default = "required" if each.required else default
        lines.append(f"| `{each.name}` | {_one_line(takes)} | {default} | {_one_line(each.doc)} |")
    return lines


def _words() -> list[str]:
    from junctor.flows.files.schema import flow_schema

    schema = flow_schema()
    lines: list[str] = []
    _describe(schema, schema, "The file", lines, set())
    return lines


def _describe(schema: dict[str, Any], kind: dict[str, Any], title: str, lines: list[str], seen: set[str]) -> None:
    """A table of the words of one mapping, and below it a table for each mapping in it."""
    lines += [f"## {title}", "", "| word | takes | meaning |", "|---|---|---|"]
    below = []
    for name, part in kind.get("properties", {}).items():
        lines.append(f"| `{name}` | {_takes(schema, part)} | {_one_line(_resolved(schema, part, 'description'))} |")
        for reference, inner in _mappings(schema, part):
            if reference not in seen:
                seen.add(reference)
                below.append((reference, inner))
    lines.append("")
    for reference, inner in below:
        _describe(schema, inner, reference, lines, seen)


def _one_line(text: Any) -> str:
    return str(text or "").replace("\n", " ").replace("|", "\\|").replace("``", "`")


def _target(schema: dict[str, Any], part: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    name = part["$ref"].rpartition("/")[2]
    return name, schema["$defs"][name]


def _resolved(schema: dict[str, Any], part: dict[str, Any], word: str) -> Any:
    if word in part or "$ref" not in part:
        return part.get(word)
    return _target(schema, part)[1].get(word)


def _parts(part: dict[str, Any]) -> list[dict[str, Any]]:
    return part.get("anyOf") or part.get("oneOf") or [part]


def _takes(schema: dict[str, Any], part: dict[str, Any]) -> str:
    words = []
    for one in _parts(part):
        if "$ref" in one:
            name, target = _target(schema, one)
            words.append(name if "properties" in target else _takes(schema, target))
        elif "enum" in one:
            words += [f"`{value}`" for value in one["enum"]]
        elif "const" in one:
            words.append(f"`{one['const']}`")
        elif one.get("type") == "array":
            words.append(f"list of {_takes(schema, one.get('items', {}))}")
        else:
            kind = one.get("type", "anything")
            words.append(kind if isinstance(kind, str) else " or ".join(kind))
    return " or ".join(dict.fromkeys(words)).replace("|", "\\|")


def _mappings(schema: dict[str, Any], part: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    found = []
    for one in _parts(part):
        inner = [one, one.get("items", {}), one.get("additionalProperties", {})]
        for each in inner:
            if isinstance(each, dict) and "$ref" in each:
                name, target = _target(schema, each)
                found += [(name, target)] if "properties" in target else _mappings(schema, target)
            elif isinstance(each, dict) and ("anyOf" in each or "oneOf" in each) and each is not part:
                found += _mappings(schema, each)
    return found
