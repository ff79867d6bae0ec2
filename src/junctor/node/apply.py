"""A running node goes over to what its flows say now.

What is different is found by value; only that is touched. Everything that can be wrong is found first, and then nothing
has changed.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from junctor.errors import ConfigurationError, JunctorError, NotRunning, nearest
from junctor.flows import FlowModel, FlowSource, Overrides, Wiring, load, wire_all
from junctor.flows.code.modules import changed_modules
from junctor.flows.comparison import Changes, compare
from junctor.flows.dialects import dialect_names
from junctor.node.leaving import refuse_to_leave
from junctor.observe.secrets import mask
from junctor.runtime.change import Change, Hosts
from junctor.transports.base import AlertRecord

if TYPE_CHECKING:
    from junctor.node.node import Node

NATIVE = "native"
NOTHING = Overrides()

log = logging.getLogger("junctor.node")

GRACE = 8.0
"""Seconds that a service which is replaced has for its work in flight."""


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """A flow as a user names it to a running node: names and paths, never code.

    ``text`` is what follows ``junctor run``; relative paths are those of ``folder``.
    """

    text: str
    folder: str
    overlays: tuple[str, ...] = ()
    env_files: tuple[str, ...] = ()
    set: tuple[str, ...] = ()
    name: str | None = None

    def source(self) -> FlowSource:
        """Where to load it from, with absolute paths."""
        over = Overrides(overlays=self.overlays, env_files=self.env_files, set=self.set, name=self.name)
        return absolute(FlowSource(text=self.text, overrides=over, folder=Path(self.folder)))


class Over(msgspec.Struct, frozen=True, kw_only=True):
    """What is said over the flows that a node has: as in :class:`Named`, with absolute paths."""

    overlays: tuple[str, ...] = ()
    env_files: tuple[str, ...] = ()
    set: tuple[str, ...] = ()

    def overrides(self) -> Overrides:
        return Overrides(overlays=self.overlays, env_files=self.env_files, set=self.set)


def absolute(source: FlowSource) -> FlowSource:
    """The same source, to be loaded from any working folder. What is no file in its folder stays a name."""
    folder, over = source.folder, source.overrides
    place, colon, attribute = source.text.partition(":")
    of_dialect = bool(attribute) and place in dialect_names()
    text = source.text if of_dialect or not (folder / place).exists() else f"{folder / place}{colon}{attribute}"
    overlays, env_files = (tuple(str(folder / file) for file in files) for files in (over.overlays, over.env_files))
    overrides = msgspec.structs.replace(over, overlays=overlays, env_files=env_files)
    return FlowSource(text=text, overrides=overrides, folder=folder, files=source.files)


def sources_of(node: Node, over: Overrides = NOTHING) -> list[FlowSource]:
    """What the flows of a node were loaded from, with more said over it.

    :raises ConfigurationError: one was made in Python, or it is not clear which flow ``over`` is about.
    """
    if over != NOTHING and len(node.flows) > 1:
        names = ", ".join(flow.plan.name for flow in node.flows)
        raise ConfigurationError(f"the node has several flows: {names}", where="apply", fix="Name the TARGET as well.")
    found = []
    for flow in node.flows:
        source = flow.model.source
        if source is None:
            raise ConfigurationError(
                "this flow was not loaded from a file",
                where=f"flow {flow.plan.name}",
                fix="Name the file: junctor apply FILE.",
            )
        found.append(absolute(msgspec.structs.replace(source, overrides=_with(source.overrides, over))))
    return found


def _with(over: Overrides, more: Overrides) -> Overrides:
    return Overrides(
        overlays=over.overlays + more.overlays,
        env_files=over.env_files + more.env_files,
        set=over.set + more.set,
        name=more.name or over.name,
    )


async def apply_sources(
    node: Node,
    sources: Sequence[FlowSource],
    *,
    remove: Collection[str] = (),
    who: str,
    dry_run: bool = False,
    leave_runs: bool = False,
) -> list[Changes]:
    """Load flows, with code that changed on disk loaded anew, and let the node go over to them.

    :param leave_runs: also where open runs lose their service.
    :raises ConfigurationError: something in them is wrong; nothing has changed then.
    :raises RunsLeft: open runs would lose their service; the same.
    """
    async with node.loading:
        return await _apply_sources(node, sources, remove, who, dry_run, leave_runs)


async def _apply_sources(
    node: Node, sources: Sequence[FlowSource], remove: Collection[str], who: str, dry_run: bool, leave_runs: bool
) -> list[Changes]:
    with changed_modules():
        # In a thread: what runs goes on while the user's modules are imported.
        models = await node.aside(lambda: [load(source.text, source.overrides) for source in sources])
        _refuse_in_error(node, models)
        names = {model.name for model in models}
        others = [flow for flow in node.flows if flow.plan.name not in names and flow.plan.name not in remove]
        wired = await node.aside(lambda: wire_all([*(flow.model for flow in others), *models]))
        if not leave_runs:
            await refuse_to_leave(node, wired, remove)
        return await node.apply(wired, who=who, dry_run=dry_run, remove=remove)


def _refuse_in_error(node: Node, models: Sequence[FlowModel]) -> None:
    """A dialect may start what cannot run as a service in error, with its ``problem``; what runs is not replaced by
    that.

    :raises ConfigurationError: it would be.
    """
    running = {f"{flow.plan.name}/{item.name}": item.source for flow in node.flows for item in flow.model.items}
    for model in models:
        for item in model.items:
            problem = getattr(item.source, "problem", "")
            before = running.get(f"{model.name}/{item.name}")
            if problem and before is not None and not getattr(before, "problem", ""):
                what = f"{item.name} runs, and would be in error: {problem.rstrip('.')}"
                raise ConfigurationError(what, where=f"flow {model.name}", fix="Nothing has changed; correct it first.")


async def reload(node: Node, who: str) -> None:
    """Load again what the node was started with, as a signal asks for it; what comes of it is logged."""
    log.info("%s: the flows are loaded again", who)
    try:
        changes = await apply_sources(node, sources_of(node), who=who)
    except JunctorError as error:
        log.error("nothing was changed: %s", mask(str(error)))
        return
    if all(change.kind == "same" for change in changes):
        log.info("nothing has changed")


async def applied(
    node: Node, flows: Sequence[Wiring], remove: Collection[str], who: str, dry_run: bool
) -> list[Changes]:
    """What :meth:`Node.apply` does, one at a time."""
    if not node.engine.ready:
        raise NotRunning("the node does not run", where="apply", fix="Try again when `junctor status` says running.")
    current = {flow.plan.name: flow for flow in node.flows}
    wanted = _wanted(current, flows, remove)
    changes = [compare(current.get(name), wanted.get(name)) for name in {**current, **wanted}]
    for change in changes:
        if change.kind == "same":
            # The running plan stays; only where it comes from may be said in another way.
            wanted[change.flow] = msgspec.structs.replace(current[change.flow], model=wanted[change.flow].model)
    replaced = {f"{change.flow}/{service.service}" for change in changes for service in change.of("changed")}
    plans = node.alerting.with_system(list(wanted.values()))
    making = Change(node.engine, plans, replaced)
    if dry_run:
        _try_out(node, list(wanted.values()), making)
        return changes
    if any(change.kind != "same" for change in changes):
        node.sensitive.watch(flow.plan.types for flow in wanted.values())
        making.build()
        await making.make(lambda gone, come: _switch(node, list(wanted.values()), gone, come), GRACE)
        _note(node, changes, who)
    else:
        # Certificates, for one, may have changed where no flow has.
        await _switch(node, list(wanted.values()), (), ())
    node.flows = tuple(wanted.values())
    node.alerting.use(node.flows)
    return changes


def _wanted(current: dict[str, Wiring], flows: Sequence[Wiring], remove: Collection[str]) -> dict[str, Wiring]:
    for name in remove:
        if name not in current:
            fix = nearest(name, current).strip() or f"It has {', '.join(current)}."
            raise ConfigurationError(f'the node has no flow "{name}"', where="apply --remove", fix=fix)
    wanted = {name: flow for name, flow in current.items() if name not in remove}
    given: set[str] = set()
    for flow in flows:
        name = flow.plan.name
        if name in given:
            fix = "Give one of them another name: --name NAME."
            raise ConfigurationError(f'two flows are called "{name}"', where="apply", fix=fix)
        given.add(name)
        wanted[name] = flow
    if not wanted:
        raise ConfigurationError("no flow would be left", where="apply", fix="To end the node: junctor stop.")
    return wanted


def _try_out(node: Node, flows: Sequence[Wiring], making: Change) -> None:
    """What is checked before anything stops, except what only code that may do something would tell: the constructors
    of other frameworks are not called."""
    making.build(lambda spec: spec.dialect == NATIVE)
    node.listeners.check(flows, making.gone, making.come)


async def _switch(node: Node, flows: Sequence[Wiring], gone: Hosts, come: Hosts) -> None:
    node.switches.set(come)
    await node.listeners.change(flows, gone, come)


def _note(node: Node, changes: Sequence[Changes], who: str) -> None:
    """Keep who changed what."""
    for change in changes:
        if change.kind == "same":
            continue
        lines = [line.strip() for line in change.lines() if not line.startswith("  =")]
        text = mask(f"{who or 'somebody'} applied {'; '.join(lines)}")
        log.info("%s: %s", change.flow, text)
        node.engine.note_alert(
            AlertRecord(node.engine.clock.time_ns(), "applied", change.flow, text, "junctor services")
        )
