"""Whether the flows still have the services of open runs in a store. Nothing of such a run need wait there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from junctor.core.run import Run, RunQuery, RunStatus
from junctor.errors import nearest
from junctor.flows.check.findings import Finding, place_of
from junctor.flows.wiring import Wiring

if TYPE_CHECKING:
    from junctor.core.records import Archive

PAGE = 1000
"""Runs read at a time."""

SHOWN = 5
"""Numbers of runs in a finding."""

_GO_ON = tuple(status for status in RunStatus if status < RunStatus.DONE)


def run_findings(archive: Archive, wirings: Sequence[Wiring], most: int | None = None) -> list[Finding]:
    """A finding for each service that has open runs and is in the flow no more, or is no durable service now.

    :param most: so many runs, the newest; None for all.
    :raises StoreError: the store cannot be read.
    """
    known = {
        f"{wiring.plan.name}/{service.spec.name}": bool(service.spec.runs)
        for wiring in wirings
        for service in wiring.plan.services
    }
    flows = {wiring.plan.name for wiring in wirings}
    left: dict[str, list[int]] = defaultdict(list)
    for run in islice(_open(archive), most):
        flow, _, name = run.service.partition("/")
        if known.get(run.service) or flow not in flows:
            continue
        if run.service not in known and any(one.model.item(name) for one in wirings if one.plan.name == flow):
            continue  # it is written and disabled, or has an error of its own: its runs wait
        left[run.service].append(run.seq)
    return [_finding(address, runs, known, wirings) for address, runs in left.items()]


def _open(archive: Archive) -> Iterator[Run]:
    query = RunQuery(statuses=_GO_ON, limit=PAGE)
    while page := archive.runs(query):
        yield from page
        query = msgspec.structs.replace(query, before=page[-1].seq)


def _finding(address: str, runs: list[int], known: dict[str, bool], wirings: Sequence[Wiring]) -> Finding:
    flow, _, name = address.partition("/")
    gone = address not in known
    why = "the service is no longer in the flow" if gone else "the service is neither workflow nor conversation now"
    others = [each.partition("/")[2] for each, durable in known.items() if durable and each.startswith(f"{flow}/")]
    more = f" and {len(runs) - SHOWN} more" if len(runs) > SHOWN else ""
    return Finding(
        "error",
        "orphaned",
        name if len(wirings) == 1 else address,
        f"{len(runs)} open run{'s' if len(runs) > 1 else ''}: {why}",
        f"{nearest(name, others)}Give the service its old name and class back, or its runs wait for ever.",
        place_of(address, [wiring.model for wiring in wirings]),
        (f"in the store: run {', '.join(map(str, runs[:SHOWN]))}{more}",),
    )
