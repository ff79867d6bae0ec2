"""Open runs that would lose their service by a change: told before it is made."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from junctor.core.signals import counted
from junctor.errors import JunctorError
from junctor.flows import Wiring

if TYPE_CHECKING:
    from junctor.node.node import Node


class RunsLeft(JunctorError):
    """Workflows or conversations that are open would have no service any more. Nothing has changed."""

    code = "runs-left"
    default_fix = (
        "Let them end first, or cancel them: junctor workflows cancel. With --yes they wait until the service is back."
    )
    status = 409


async def refuse_to_leave(node: Node, flows: Sequence[Wiring], remove: Collection[str]) -> None:
    """See that a change to these flows takes the service from no open run.

    :param flows: those that are given; others stay, but for those in ``remove``.
    :raises RunsLeft: it does. Names each service with the number of its open runs.
    """
    given = {flow.plan.name for flow in flows}
    stays = [flow for flow in node.flows if flow.plan.name not in given and flow.plan.name not in remove]
    after = _durable([*stays, *flows])
    before = _durable(node.flows)
    gone = [address for address, kind in before.items() if after.get(address) != kind]
    if not gone:
        return
    counts = await node.read(lambda archive: archive.open_runs())
    left = {address: counts[address] for address in gone if counts.get(address)}
    if left:
        what = ", ".join(f"{counted(count, 'open run')} of {address}" for address, count in left.items())
        new = [address.partition("/")[2] for address in after if address not in before]
        hint = f"New there: {', '.join(new)}; of a service that is renamed keep the name. " if new else ""
        raise RunsLeft(f"no service would be there for {what}", where="apply", fix=f"{hint}{RunsLeft.default_fix}")


def _durable(flows: Sequence[Wiring]) -> dict[str, str]:
    """The services that have runs, with their kind: one cannot go on with the runs of the other."""
    return {
        f"{flow.plan.name}/{service.spec.name}": service.spec.runs
        for flow in flows
        for service in flow.plan.services
        if service.spec.runs
    }
