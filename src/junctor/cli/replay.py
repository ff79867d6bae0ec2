"""``junctor replay``: stored histories of workflows against the code that is about to be used."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from junctor.cli import completing, tables, words
from junctor.cli.options import FlowArguments, json_option, optional_flow_options
from junctor.node.views.runs import STATUSES

if TYPE_CHECKING:
    from junctor.flows.replaying import Replayed, Verdict
    from junctor.flows.wiring import Wiring

WRONG = 1

_GOES_ON = ("open", "suspended")


@click.command("replay")
@optional_flow_options
@click.option("--store", metavar="PATH", help="The store; of the usual folder by default, ./.junctor/FLOW.")
@click.option("--service", metavar="NAME", help="Runs of this service.", shell_complete=completing.services)
@click.option(
    "--status",
    multiple=True,
    metavar="WORD",
    help=f"One of {', '.join((*STATUSES, 'all'))}; open and suspended by default.",
)
@json_option
def command(
    flows: FlowArguments, store: str | None, service: str | None, status: tuple[str, ...], as_json: bool
) -> int:
    """Try whether the code of a flow still does what the histories of its workflows say.

    Each run is gone through with its recorded inputs: no request leaves, nothing is written, and the node may run
    meanwhile. Without FILEs it is the runs of the store that go on; a TARGET that ends with .json is a FILE that
    `junctor workflows export` wrote.

    The exit code is 0 when all do, and 1 when one does not: with this code it would be suspended.
    """
    from junctor.flows.replaying import Replayed
    from junctor.node.histories import replayed_files

    files = [Path(target) for target in flows.targets if target.endswith(".json")]
    if files and (store is not None or service is not None or status):
        raise click.UsageError("files are replayed as they are: leave out --store, --service and --status")
    rest = tuple(target for target in flows.targets if not target.endswith(".json"))
    wirings = _wirings(FlowArguments(rest, flows.overrides).or_here())
    verdicts = replayed_files(wirings, files) if files else _stored(wirings, store, service, status)
    result = Replayed(list(verdicts))
    if as_json:
        click.echo(words.json_text({"counts": result.counts, "verdicts": result.verdicts}))
    else:
        _print(result)
    return WRONG if result.wrong else 0


def _wirings(flows: FlowArguments) -> list[Wiring]:
    from junctor.flows import wire_all

    return wire_all(flows.load())


def _stored(
    wirings: list[Wiring], store: str | None, service: str | None, status: tuple[str, ...]
) -> Iterator[Verdict]:
    from junctor.flows.replaying import replayed
    from junctor.node.directory import data_directory
    from junctor.node.histories import stored_histories
    from junctor.node.views.runs import statuses_of
    from junctor.store.reader import open_archive

    archive = open_archive(data_directory(wirings[0].plan.name, store))
    try:
        asked = None if "all" in status else statuses_of(list(status or _GOES_ON))
        yield from replayed(wirings, stored_histories(archive, service, asked))
    finally:
        archive.close()


def _print(result: Replayed) -> None:
    rows = [_row(verdict) for verdict in result.wrong]
    if rows:
        tables.show(("run", "key", "service", "status", "result", "line", "why"), rows, right="run")
    counts = result.counts
    if not counts:
        click.echo("there are no such runs")
        return
    click.echo(", ".join(f"{counts[word]} {text}" for word, text in _WORDS.items() if counts.get(word)))


_WORDS = {
    "ok": "as recorded",
    "diverges": "diverge",
    "damaged": "damaged",
    "missing": "without a workflow in the flow",
    "skipped": "without a history to compare",
}


def _row(verdict: Verdict) -> tuple[str, ...]:
    key = words.short(verdict.key or "", 40)
    name = verdict.service
    return (str(verdict.run), key, name, verdict.status, verdict.result, verdict.place, words.short(verdict.why, 200))
