"""``junctor run --reload``: what was saved is there at once, in the services that it concerns and no others.

The files of the flows are looked at a few times a second. What changed is loaded and checked while the old code goes
on; only where all of it can be used, the node goes over to it. A message is never lost by that: what waits keeps its
place, and where it could not be read any more the user is asked first.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
import traceback
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path

from junctor.core.lifecycle import State
from junctor.errors import JunctorError
from junctor.flows import FlowModel, Wiring, load, wire_all
from junctor.flows.code.modules import changed_files, changed_modules, watched_files
from junctor.flows.comparison import Changes, ServiceChange
from junctor.node.apply import absolute
from junctor.node.node import Node
from junctor.observe.frames import folded, short_path, users_part, users_place
from junctor.observe.logs import readable
from junctor.observe.secrets import mask

LOOK = 0.3
"""Seconds between two looks at the files."""

_WHO = "junctor run --reload"
_SUFFIXES = (".py", ".yaml", ".yml", ".env", ".json", ".toml")
_BROKEN = (State.FAILED, State.BACKOFF)
_UNREADABLE = frozenset({"cannot-decode", "no-handler", "orphaned"})

_READ = 10_000
"""Messages that wait, the newest, which the saved code must be able to read: to read a million keeps the user waiting
at each save. `junctor check --store` reads them all."""

_GONE = (0, 0, 0)
_JUST_NOW = 5_000_000_000  # nanoseconds, more than loading takes

Stamps = dict[str, tuple[int, int, int]]
"""Files with the time they were written, their size and number; zeros where one is gone."""


class Reload:
    """Watches the files of a node's flows and lets the node follow them.

    :param load: loads the flows again, as at the start.
    :param say: tells the user a line.
    """

    def __init__(self, node: Node, load: Callable[[], Sequence[FlowModel]], say: Callable[..., None]) -> None:
        self._node = node
        self._load = load
        self._say = say
        self._models: Sequence[FlowModel] = [flow.model for flow in node.flows]
        self._failed: BaseException | None = None
        self._agreed: frozenset[str] = frozenset()
        # What was saved while it was loaded for the start is loaded again; where nothing is different, nothing happens.
        in_doubt = time.time_ns() - _JUST_NOW
        known = {file: stamp if stamp[0] < in_doubt else _GONE for file, stamp in self._look().items()}
        self._seen: Stamps = {**known, **dict.fromkeys(map(str, changed_files()), _GONE)}

    async def watch(self) -> None:
        """Do it until the node stops."""
        while self._node.state is State.RUNNING:
            await asyncio.sleep(LOOK)
            now = self._look()
            if now == self._seen:
                continue
            now = await self._settled(now)
            begun = time.time_ns()
            await self._follow(self._saved(now))
            # With the stamps from before the loading: what was saved meanwhile is found by the next look, and so is a
            # file that was made meanwhile.
            fresh = {file: stamp if stamp[0] < begun - _JUST_NOW else _GONE for file, stamp in self._look().items()}
            self._seen = {**fresh, **{file: stamp for file, stamp in now.items() if file in fresh}}

    # Files --------------------------------------------------------------------------------------------------

    def _look(self) -> Stamps:
        return {str(file): _stamp(file) for file in self._files()}

    def _files(self) -> Iterator[Path]:
        yield from watched_files()
        for model in self._models:
            if model.source is not None:
                yield from (model.source.folder / file for file in model.source.files)
        yield from (Path(file) for flow in self._node.flows for plan in flow.plan.services for file in plan.spec.reads)
        if self._failed is not None:  # what is missing or wrong may be a file that was never loaded
            yield from _neighbours({file.parent for file in watched_files()})
            yield from _files_in(self._failed)

    async def _settled(self, now: Stamps) -> Stamps:
        """The files once none has changed between two looks: editors write in pieces, or put a new file in the place
        of the old one, which is not there for a moment."""
        for _ in range(20):
            await asyncio.sleep(LOOK / 3)
            before, now = now, self._look()
            if now == before and all(stamp[0] or not self._seen.get(file, stamp)[0] for file, stamp in now.items()):
                break
        return now

    def _saved(self, now: Stamps) -> list[str]:
        """The files to name; where it is not known which was saved, the newest."""
        saved = [file for file, stamp in now.items() if stamp != self._seen.get(file)]
        sure = [file for file in saved if self._seen.get(file) != _GONE]
        return sure or sorted(saved, key=lambda file: now[file])[-1:]

    # Following ----------------------------------------------------------------------------------------------

    async def _follow(self, saved: Iterable[str]) -> None:
        names = ", ".join(sorted(short_path(file) for file in saved)) or "files"
        began = time.monotonic()
        try:
            with changed_modules():
                models, flows = await self._node.aside(self._loaded)
                gone = {flow.plan.name for flow in self._node.flows} - {flow.plan.name for flow in flows}
                planned = await self._node.apply(flows, who=_WHO, remove=gone, dry_run=True)
                if any(map(_concerns_messages, planned)) and not await self._agrees(flows):
                    raise _KeptOld
                changes = await self._node.apply(flows, who=_WHO, remove=gone)
        except _KeptOld:
            self._say("the code from before goes on")
        except Exception as error:  # noqa: BLE001 - whatever saved code does, the old code goes on
            self._failed = error
            self._say(*_told(error), "the code from before goes on")
        else:
            failed, self._failed = self._failed, None
            self._models = models
            if any(change.kind != "same" for change in changes):
                self._say(f"reloaded {names}: {_outcome(self._node, changes, time.monotonic() - began)}")
            elif failed is not None:
                self._say(f"{names}: as it runs already")

    def _loaded(self) -> tuple[Sequence[FlowModel], list[Wiring]]:
        # By whole paths, as far as the flows are from files: code of the user may have changed the working folder.
        sources = [absolute(model.source) for model in self._models if model.source is not None]
        whole = len(sources) == len(self._models)
        models = [load(source.text, source.overrides) for source in sources] if whole else self._load()
        return models, wire_all(models)

    # What waits ---------------------------------------------------------------------------------------------

    async def _agrees(self, flows: Sequence[Wiring]) -> bool:
        """Whether all that waits can be read by the new code, or the user wants to go on nevertheless."""
        from junctor.flows.check.store import store_findings

        findings, _ = await self._node.read_unmasked(lambda archive: store_findings(archive, flows, _READ))
        wrong = [
            f"{finding.where}: {finding.what}"
            for finding in findings
            if finding.level == "error" and finding.code in _UNREADABLE
        ]
        new = frozenset(wrong) - self._agreed
        if not new:
            return True
        self._say("the saved code cannot handle what waits:", *(f"  {readable(mask(text))}" for text in sorted(new)))
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            self._say("correct the type, give it an upgrade=, or stop and start the node to have them parked")
            return False
        answer = await self._asked("park them when they are handed out, or keep the old code? [p/K] ")
        if answer == "p":
            self._agreed |= new
        return answer == "p"

    async def _asked(self, question: str) -> str:
        """The first letter of what is typed; empty where a file is saved meanwhile, which is an answer, too."""
        sys.stdout.write(question)
        sys.stdout.flush()
        loop, before = asyncio.get_running_loop(), self._look()
        typed: asyncio.Future[str] = loop.create_future()
        loop.add_reader(0, lambda: _resolve(typed))
        try:
            while not typed.done() and self._look() == before:
                await asyncio.wait([typed], timeout=LOOK)
        finally:
            loop.remove_reader(0)
        if not typed.done():
            self._say("")
            return ""
        return typed.result().strip().lower()[:1]


class _KeptOld(Exception):
    """What was saved can be loaded and is not wanted."""


def _resolve(typed: asyncio.Future[str]) -> None:
    text = ""
    with contextlib.suppress(OSError):
        text = os.read(0, 4096).decode(errors="replace")
    if not typed.done():
        typed.set_result(text)


def _stamp(file: Path) -> tuple[int, int, int]:
    try:
        found = file.stat()
    except OSError:
        return _GONE
    return found.st_mtime_ns, found.st_size, found.st_ino


def _neighbours(folders: Collection[Path]) -> Iterator[Path]:
    for folder in {*folders, Path()}:
        with contextlib.suppress(OSError):
            yield from (found.absolute() for found in folder.iterdir() if found.suffix in _SUFFIXES)


def _files_in(error: BaseException) -> Iterator[Path]:
    """The files that an exception came through."""
    following: BaseException | None = error
    for _ in range(20):
        if following is None:
            return
        if isinstance(following, SyntaxError) and following.filename:
            yield Path(following.filename)
        yield from (Path(frame.filename) for frame in traceback.extract_tb(following.__traceback__))
        following = following.__cause__ or following.__context__


# Words --------------------------------------------------------------------------------------------------------


def _told(error: BaseException) -> Iterator[str]:
    """The user's line first, then what is wrong with it; the traceback where the user's code raised something."""
    root = error
    while isinstance(root, JunctorError) and root.__cause__ is not None:
        root = root.__cause__
    place = users_place(root)
    if place is not None:
        yield readable(mask(f"{short_path(place.file)}:{place.line}: {place.source}"))
    if isinstance(error, JunctorError):
        yield from readable(mask(str(error))).split("\n")
    if isinstance(root, JunctorError | SyntaxError | ModuleNotFoundError):
        return
    if place is None and isinstance(error, JunctorError):
        return  # what the engine found, said above: no code of the user has raised anything
    trace = root.__traceback__ if place is None else users_part(root.__traceback__)
    text = "".join(traceback.format_exception(type(root), root, trace))
    yield from readable(mask(folded(text) if place is not None else text)).rstrip().split("\n")


def _concerns_messages(change: Changes) -> bool:
    """Whether what waits may look different to the new code."""
    services = [service for service in change.services if service.kind != "same"]
    return any(service.kind == "removed" or any(map(_is_code, service.details)) for service in services)


def _is_code(detail: str) -> bool:
    return detail == "code" or detail.startswith("class ")


def _outcome(node: Node, changes: Sequence[Changes], seconds: float) -> str:
    several = len(changes) > 1
    parts = [part for change in changes for part in _parts(node, change, several)]
    untouched = [_name(change, one, several) for change in changes for one in change.of("same")]
    text = f"{', '.join(parts) or 'settings of the flow'} ({seconds:.2f} s)"
    return f"{text}; {', '.join(untouched)} untouched" if untouched else text


def _parts(node: Node, change: Changes, several: bool) -> Iterator[str]:
    words = {"added": "started", "changed": "restarted", "removed": "stopped"}
    for service in change.services:
        if service.kind == "same":
            continue
        host = node.engine.hosts.get(f"{change.flow}/{service.service}")
        name = _name(change, service, several)
        if host is not None and host.lifecycle.state in _BROKEN:
            yield f"{name} does not start: {readable(mask(host.lifecycle.reason))}"
            continue
        details = [detail for detail in service.details if detail != "code"]
        why = f" with {readable(mask(', '.join(details)))}" if details else ""
        yield f"{name} {words[service.kind]}{why}"
    yield from (f"http {detail}" for detail in change.http)


def _name(change: Changes, service: ServiceChange, several: bool) -> str:
    return f"{change.flow}/{service.service}" if several else service.service
