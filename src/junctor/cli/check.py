"""``junctor check``: what is wrong with flows, without running them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from junctor.cli.options import FlowArguments, json_option, optional_flow_options
from junctor.errors import ConfigurationError, JunctorError, NodeNotFound, SeveralProblems
from junctor.observe.secrets import mask

if TYPE_CHECKING:
    from junctor.flows.check.findings import Finding, Report
    from junctor.flows.wiring import Wiring
    from junctor.http.settings import HttpSettings

OK, CONFIGURATION = 0, 78
_COLOURS = {"error": "red", "warning": "yellow", "note": "cyan"}


class _Check(click.Command):
    """The path behind ``--store`` may be left out: a flow that follows it is no store."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        told: list[str] = []
        for word in args:
            if told and told[-1] == "--store" and (word.endswith((".yaml", ".yml", ".py")) or Path(word).is_file()):
                told[-1] = "--store="
            told.append(word)
        return super().parse_args(ctx, told)


@click.command("check", cls=_Check)
@optional_flow_options
@click.option("--store", metavar="PATH", is_flag=False, flag_value="", help="Also read what waits in the store.")
@click.option("--strict", is_flag=True, help="Take warnings for errors.")
@json_option
def command(flows: FlowArguments, store: str | None, strict: bool, as_json: bool) -> int:
    """Find what is wrong with flows without running them.

    Without a TARGET it is this folder, as for `junctor run`. Several are checked as the flows of one node. With
    --store, every message that waits or is parked is read with today's types; a node may run meanwhile. --store alone
    takes the usual folder, ./.junctor/FLOW.

    The exit code is 0 when there is no error, and 78 when there is one.
    """
    from junctor.flows.check.check import check

    flows = flows.or_here()
    report, wirings = check(flows.targets, flows.overrides)
    report = _with_listeners(report, wirings)
    if store is not None and wirings:
        report = _with_store(report, wirings, store)
    if as_json:
        from junctor.cli.words import json_text

        click.echo(json_text(_plain(report)))
    else:
        _print(report)
    wrong = report.count("error") + (report.count("warning") if strict else 0)
    return CONFIGURATION if wrong else OK


def _with_listeners(report: Report, wirings: list[Wiring]) -> Report:
    """What is wrong with the ``http`` sections, each for itself and together."""
    sections = {wiring.plan.name: wiring.model.http for wiring in wirings if wiring.model.http is not None}
    if not sections:
        return report
    from junctor.flows.check.findings import of_error
    from junctor.http.access.checks import section_problems
    from junctor.node.layout import tls_problems

    models = [wiring.model for wiring in wirings]
    found = [
        of_error(problem, [wiring.model])
        for wiring in wirings
        if wiring.model.http is not None
        for problem in tls_problems(wiring.model.http)
    ]
    sound = {name: section for name, section in sections.items() if not any(section_problems(name, section))}
    found += [of_error(problem, models) for problem in _misplaced(sound)]
    return msgspec.structs.replace(report, findings=(*report.findings, *found))


def _misplaced(sections: Mapping[str, HttpSettings]) -> Iterator[ConfigurationError]:
    """What is wrong with the listeners of sections that are right by themselves: of each, else of all together."""
    from junctor.node.address import Address
    from junctor.node.layout import lay_out

    alone = [{name: section} for name, section in sections.items()]
    wrong = False
    for several in [*alone, sections]:
        try:
            if not wrong or several is not sections:
                lay_out(several, Address())
        except ConfigurationError as error:
            wrong = True
            yield from error.problems if isinstance(error, SeveralProblems) else [error]


def _with_store(report: Report, wirings: list[Wiring], store: str) -> Report:
    from junctor.flows.check.findings import of_error
    from junctor.flows.check.store import store_findings
    from junctor.node.directory import data_directory
    from junctor.store.reader import open_archive

    try:
        archive = open_archive(data_directory(wirings[0].plan.name, store or None))
        try:
            found, count = store_findings(archive, wirings)
        finally:
            archive.close()
    except JunctorError as error:
        finding = of_error(error)
        if isinstance(error, NodeNotFound):
            finding = msgspec.structs.replace(finding, fix="Give the node's data directory: --store PATH.")
        return msgspec.structs.replace(report, findings=(*report.findings, finding))
    return msgspec.structs.replace(report, findings=(*report.findings, *found), messages=count)


def _plain(report: Report) -> dict[str, object]:
    findings = [
        {**msgspec.structs.asdict(finding), "file": finding.file, "line": finding.line} for finding in report.findings
    ]
    return {**msgspec.structs.asdict(report), "findings": findings}


def _print(report: Report) -> None:
    ordered = sorted(report.findings, key=lambda finding: (finding.file, finding.line))
    for file, findings in itertools.groupby(ordered, key=lambda finding: finding.file):
        click.echo(click.style(_safe(file) or "(no file)", bold=True))
        for finding in findings:
            _print_one(finding)
        click.echo()
    click.echo(_summary(report))


def _print_one(finding: Finding) -> None:
    level = click.style(f"{finding.level:7}", fg=_COLOURS[finding.level])
    line = str(finding.line) if finding.line else ""
    where = f"{finding.where}: " if finding.where else ""
    click.echo(f"  {line:>4}  {level}  {_safe(where + finding.what)}")
    for text in (finding.fix, *finding.see):
        if text:
            click.echo(f"        {' ':7}  {_safe(text)}")


def _safe(text: str) -> str:
    from junctor.cli.words import safe

    return safe(mask(text))


def _summary(report: Report) -> str:
    counts = [_number(report.count(level), level) for level in ("error", "warning", "note")]
    looked = [
        _number(report.flows, "flow"),
        _number(report.services, "service"),
        _number(report.connections, "connection"),
    ]
    if report.messages is not None:
        looked.append(_number(report.messages, "stored message"))
    found = ", ".join(count for count in counts if not count.startswith("0 ")) or click.style("all is well", fg="green")
    return f"{found} in {', '.join(looked)}"


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("" if count == 1 else "s")
