"""``junctor logs``: the log of a node, running or not."""

from __future__ import annotations

import contextlib
import io
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from junctor.cli import completing, words
from junctor.cli.options import json_option, node_option, reading
from junctor.errors import JunctorError, NodeNotFound, nearest
from junctor.node import directory
from junctor.node.process import starting
from junctor.node.views.search import UnknownFilter
from junctor.observe.logs import LEVELS, colours, human_line, level_number

if TYPE_CHECKING:
    from junctor.observe.logfile import LogReader

LAST = 100
LOOK = 0.2  # seconds between two looks at a log that is followed


class Entry(msgspec.Struct):
    """A line of the log."""

    time: datetime
    level: str
    logger: str
    text: str
    service: str = ""
    session: str = ""
    message: str = ""
    exception: str = ""


class Wanted(msgspec.Struct, frozen=True):
    """Which lines to show. The first three cost nothing: they are looked for in the text before it is decoded."""

    words: tuple[bytes, ...]
    service: str | None
    level: int
    since: datetime | None
    session: str | None

    def entry(self, line: bytes) -> Entry | None:
        """The line as an entry where it is wanted. A line that a crash left unfinished never is."""
        if not all(word in line for word in self.words):
            return None
        try:
            entry = _decoder.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return None
        return entry if self._fits(entry) else None

    def _fits(self, entry: Entry) -> bool:
        return (
            _number(entry.level) >= self.level
            and self.service in (None, entry.service, entry.service.rpartition("/")[2])
            and (self.since is None or entry.time >= self.since)
            # The last eight digits are what the readable form shows.
            and (not self.session or entry.session.startswith(self.session) or entry.session[-8:] == self.session)
        )


_decoder = msgspec.json.Decoder(Entry)


@click.command("logs")
@click.option("-f", "--follow", is_flag=True, help="Show what is logged from now on, until Ctrl-C.")
@click.option("--service", metavar="NAME", help="Of this service.", shell_complete=completing.services)
@click.option("--level", type=click.Choice(LEVELS), help="Of this level and above.")
@click.option("--since", metavar="WHEN", help="Since 10m (ago), 14:30 or 2026-11-20T14:30.")
@click.option("--session", metavar="SESSION", help="Of this session; its first digits are enough.")
@click.option(
    "-n", "--limit", type=click.IntRange(0), help=f"So many, the last ones; {LAST}, or all with --since, by default."
)
@node_option
@json_option
def command(
    follow: bool,
    service: str | None,
    level: str | None,
    since: str | None,
    session: str | None,
    limit: int | None,
    node: str | None,
    as_json: bool,
) -> None:
    """Show the log of a node, and follow it.

    It is kept in the data directory of the node, so that it can be read when the node is down, and is followed over a
    restart of the node. --json prints the lines as they are kept: one JSON object each.
    """
    wanted = Wanted(
        words=tuple(word.encode() for word in (service and service.rpartition("/")[2], session) if word),
        service=service,
        level=level_number(level) if level else 0,
        since=words.instant(since) if since else None,
        session=session.lower() if session else None,
    )
    reader = starting.awaited(lambda: _reader(directory.find(node), follow))
    count = limit if limit is not None else (None if since else LAST)
    if not _show(_last(reader.lines(), wanted, count), as_json) and not follow:
        if service:
            _check_service(service, node)
        click.echo("no line of the log fits", err=True)
    while follow:
        _show(_wanted(reader.lines(), wanted), as_json)
        time.sleep(LOOK)


def _check_service(service: str, node: str | None) -> None:
    """:raises UnknownFilter: neither the node nor its log knows the service."""
    known: set[str] = set()
    with contextlib.suppress(JunctorError), contextlib.redirect_stderr(io.StringIO()), reading(node) as source:
        known = {f"{one.flow}/{one.service}" for one in source.status().services}
    for line in _reader(directory.find(node), follow=False).lines():
        with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError):
            known.add(_decoder.decode(line).service)
    names = {name.rpartition("/")[2] for name in known} - {""}
    if service not in known | names:
        fix = nearest(service, names).rstrip() or None
        raise UnknownFilter(f'there is no service "{service}"', where="service", fix=fix)


def _reader(found: Path, follow: bool) -> LogReader:
    from junctor.observe.logfile import LogReader, files

    if not follow and not files(found):
        fix = "A node writes its log there when it is started with `junctor run`."
        kind = directory.MayStart if directory.may_start(found) else NodeNotFound
        raise kind("there is no log yet", where=str(found), fix=fix)
    return LogReader(found)


Line = tuple[bytes, Entry]


def _last(lines: Iterator[bytes], wanted: Wanted, count: int | None) -> Iterable[Line]:
    if count is not None and wanted == Wanted(words=(), service=None, level=0, since=None, session=None):
        lines = iter(deque(lines, count))  # so only these are decoded
    found = _wanted(lines, wanted)
    return found if count is None else deque(found, count)


def _wanted(lines: Iterable[bytes], wanted: Wanted) -> Iterator[Line]:
    return ((line, entry) for line in lines if (entry := wanted.entry(line)) is not None)


def _show(lines: Iterable[Line], as_json: bool) -> bool:
    """Write the lines; whether there was one."""
    shown = False
    coloured = colours(sys.stdout)
    for line, entry in lines:
        sys.stdout.write(line.decode(errors="replace") + "\n" if as_json else _readable(entry, coloured) + "\n")
        shown = True
    sys.stdout.flush()
    return shown


def _readable(entry: Entry, coloured: bool) -> str:
    service = entry.service.rpartition("/")[2] or entry.logger.removeprefix("junctor.")
    text = f"{entry.text}\n{entry.exception}" if entry.exception else entry.text
    return human_line(words.clock(entry.time), entry.level.upper(), service, text, entry.session, colour=coloured)


def _number(level: str) -> int:
    return level_number(level) if level in LEVELS else 0
