"""``junctor top``: the services of a node, live."""

from __future__ import annotations

import contextlib
import os
import re
import select
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from junctor.cli import tables, words
from junctor.cli.figures import Figures, NodeLine, Picture, Row
from junctor.cli.options import json_option, node_option, running_node
from junctor.clock import parse_duration
from junctor.errors import JunctorError
from junctor.node import directory
from junctor.node.control.client import NodeClient
from junctor.node.views.status import NodeStatus

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

NOTHING = "-"

# An arrow, or another key that sends several letters.
_SEVERAL = re.compile(r"\x1b(?:\[[0-9;]*[A-Za-z~]|O[A-Za-z])")


class Column(NamedTuple):
    """A column: its head, the key that sorts by it, its text, its value, and its rank; a narrow terminal leaves out
    those of the highest rank."""

    head: str
    key: str
    text: Callable[[Row], str]
    value: Callable[[Row], Any]
    rank: int
    width: int


def _count(value: float) -> str:
    """``0``, ``3.2``, ``950``, ``12.3k``."""
    if not value:
        return "0"
    if value >= 9999.5:
        return f"{value / 1000:.1f}k"
    return f"{value:.0f}" if value >= 99.95 or value == int(value) else f"{value:.1f}"


def _time(seconds: float | None) -> str:
    return NOTHING if seconds is None else words.duration(seconds)


def _error(row: Row) -> str:
    if row.state not in ("running", "paused") and row.reason:
        return row.reason
    return f"{_time(row.error_age)} ago: {row.error}" if row.error else ""


def _workers(row: Row) -> str:
    """How many processes run, and how many were started instead of one that ended: ``2``, ``2 +1``."""
    if not row.workers:
        return ""
    again = sum(max(0, worker.starts - 1) for worker in row.workers)
    return f"{sum(worker.pid > 0 for worker in row.workers)}" + (f" +{again}" if again else "")


COLUMNS = (
    Column("service", "n", lambda row: row.service, lambda row: (row.flow, row.service), 0, 14),
    Column("state", "t", lambda row: row.state, lambda row: row.state, 0, 8),
    Column("since", "", lambda row: _time(row.seconds), lambda row: row.seconds or 0, 5, 7),
    Column("in/s", "i", lambda row: _count(row.taken), lambda row: -row.taken, 1, 6),
    Column("done/s", "d", lambda row: _count(row.done), lambda row: -row.done, 1, 6),
    Column("calls/s", "c", lambda row: _count(row.calls), lambda row: -row.calls, 6, 7),
    Column("queued", "u", lambda row: _count(row.queued), lambda row: -row.queued, 0, 6),
    Column("running", "", lambda row: str(row.in_flight), lambda row: -row.in_flight, 4, 7),
    Column("mean", "m", lambda row: _time(row.mean), lambda row: -(row.mean or 0), 7, 7),
    Column("p50", "", lambda row: _time(row.p50), lambda row: -(row.p50 or 0), 3, 7),
    Column("p99", "l", lambda row: _time(row.p99), lambda row: -(row.p99 or 0), 2, 7),
    Column("done", "", lambda row: _count(row.handled), lambda row: -row.handled, 4, 6),
    Column("parked", "p", lambda row: str(row.parked), lambda row: -row.parked, 0, 6),
    Column("held", "h", lambda row: str(row.held), lambda row: -row.held, 3, 4),
    Column("retried", "r", lambda row: str(row.retried), lambda row: -row.retried, 4, 7),
    Column("workers", "", _workers, lambda row: -len(row.workers), 3, 7),
    Column("failed", "f", lambda row: str(row.failed), lambda row: -row.failed, 2, 6),
    Column("last error", "e", _error, lambda row: row.error_age if row.error_age is not None else 1e18, 3, 30),
)
KEYS = {column.key: column for column in COLUMNS if column.key}
_LEFT = ("service", "state", "last error")


@click.command("top")
@click.option("--interval", default="1s", show_default=True, metavar="TIME", help="Between two looks.")
@click.option("--sort", type=click.Choice([column.head for column in COLUMNS]), help="By this column; else as written.")
@click.option("--once", is_flag=True, help="One picture, after one interval, and no more.")
@node_option
@json_option
def command(interval: str, sort: str | None, once: bool, node: str | None, as_json: bool) -> None:
    """Watch the services of a node: rates, queues, latency, and what fails.

    Rates and latencies are those of the last ten seconds; the latency is the time inside the handler. In a terminal
    a key sorts: n by name, i in, d done, c calls, u queued, m mean, l latency, p parked, h held, r retried, f failed,
    e latest error, t state; the same key again turns the order round. q ends it. It lives on when the node is started
    anew. WORKERS are the processes of a service that runs in some, + how often one was started again. --json prints a
    line for each look, with the pids of the workers.
    """
    watch = Watch(node, _seconds(interval), sort)
    live = sys.stdout.isatty() and sys.stdin.isatty() and not once and not as_json
    try:
        if live:
            watch.show()
        else:
            _report(watch, once, as_json)
    finally:
        watch.close()


def _report(watch: Watch, once: bool, as_json: bool) -> None:
    watch.first()
    while True:
        time.sleep(watch.interval)
        watch.look()
        _print(watch, as_json)
        if once:
            return


def _seconds(text: str) -> float:
    try:
        found = parse_duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--interval") from None
    if not 0.1 <= found <= 3600:
        raise click.BadParameter("give 100ms to 1h", param_hint="--interval")
    return found


class Watch:
    """Looks at a node again and again, and finds it again when it comes back."""

    def __init__(self, node: str | None, interval: float, sort: str | None) -> None:
        self.interval = interval
        self.picture: Picture | None = None
        self.problem = ""
        self._node = node
        self._figures = Figures()
        self._client: NodeClient | None = None
        self._sort = next((column for column in COLUMNS if column.head == sort), None)
        self._turned = False

    def first(self) -> None:
        """The first look.

        :raises JunctorError: there is no node.
        """
        self._client = running_node(self._node)
        self._ask(self._client)

    def look(self) -> None:
        """One more look; what is wrong with the node becomes :attr:`problem`."""
        try:
            if self._client is None:
                self._client = NodeClient(directory.find(self._node))
            self._ask(self._client)
            self.problem = ""
        except (JunctorError, OSError) as error:
            self.problem = words.safe(str(error))
            self.close()

    def _ask(self, client: NodeClient) -> None:
        status: NodeStatus = client.ask("status", NodeStatus, patience=max(2.0, self.interval))
        self.picture = self._figures.add(status)

    def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def rows(self) -> list[Row]:
        """The services in the order that is asked for."""
        rows = self.picture.services if self.picture is not None else []
        return sorted(rows, key=self._sort.value, reverse=self._turned) if self._sort is not None else rows

    def press(self, key: str) -> bool:
        """A key; False where it ends the watch."""
        if key in ("q", "Q", "\x03", "\x04", "\x1b"):
            return False
        column = KEYS.get(key)
        if column is not None:
            self._turned = column is self._sort and not self._turned
            self._sort = column
        return True

    # On a terminal ------------------------------------------------------------------------------------------

    def show(self) -> None:
        """Fill the terminal until a key ends it."""
        from rich.console import Console
        from rich.live import Live

        self.first()
        console = Console()
        with _keys(), Live(console=console, screen=True, auto_refresh=False) as live:
            due = time.monotonic()
            going = True
            while going:
                live.update(self.render(console), refresh=True)
                going = all(map(self.press, _typed(max(0.0, due - time.monotonic()))))
                if time.monotonic() >= due:
                    self.look()
                    due = time.monotonic() + self.interval

    def render(self, console: Console) -> RenderableType:
        """The picture for a console of this size."""
        from rich.box import SIMPLE_HEAD
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        picture = self.picture
        if picture is None:
            return Text(self.problem)
        head = [Text(line, no_wrap=True, overflow="ellipsis") for line in _head(picture.node)]
        if self.problem:
            head.append(Text(f"down: {self.problem}", style="red", no_wrap=True, overflow="ellipsis"))
        columns = fitting(console.width, picture.services)
        table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
        rows = self.rows()
        room = max(1, console.height - len(head) - 5)
        several = len(picture.node.flows) > 1
        cells = [[_cell(column, row, several) for column in columns] for row in rows[:room]]
        for number, column in enumerate(columns):
            mark = ("^" if self._turned else "v") if column is self._sort else ""
            widest = max([len(column.head + mark), *(len(line[number]) for line in cells)])
            free = column.head in ("service", "last error")  # these give way where a line is too long
            side: Any = "left" if column.head in _LEFT else "right"
            least = None if free else widest
            table.add_column(column.head + mark, justify=side, no_wrap=True, overflow="ellipsis", min_width=least)
        for line in cells:
            table.add_row(*line)
        more = f"{len(rows) - room} more below; " if len(rows) > room else ""
        foot = Text(f"{more}q ends, a letter sorts: n i d u l p f e", style="dim", no_wrap=True, overflow="ellipsis")
        return Group(*head, Text(), table, foot)


def shown(rows: Sequence[Row]) -> list[Column]:
    """The columns that have something to say: that of the workers only where there are some."""
    return [column for column in COLUMNS if column.text is not _workers or any(row.workers for row in rows)]


def fitting(width: int, rows: Sequence[Row] = ()) -> list[Column]:
    """The columns that a terminal of this width has room for, in their order."""
    columns = shown(rows)
    while len(columns) > 1 and sum(column.width + 1 for column in columns) > width:
        last = max(columns, key=lambda column: column.rank)
        if not last.rank:
            break
        columns.remove(last)
    return columns


def _cell(column: Column, row: Row, several: bool) -> Any:
    from rich.text import Text

    text = f"{row.flow}/{row.service}" if several and column.head == "service" else column.text(row)
    style = ""
    if column.head == "state":
        style = tables.COLOURS.get(row.state, "")
    elif column.head in ("parked", "failed") and text != "0":
        style = "red"
    elif column.head in ("held", "retried") and text != "0":
        style = "yellow"
    return Text(words.safe(text), style=style)


def _head(node: NodeLine) -> Iterator[str]:
    facts = [f"node {node.node}", node.state, *(f"flow {flow}" for flow in node.flows), f"pid {node.pid}"]
    facts.append(f"up {words.duration(node.uptime)}")
    if node.cpu is not None:
        facts.append(f"cpu {node.cpu * 100:.0f} %")
    if node.rss is not None:
        facts.append(f"memory {words.size(node.rss)}")
    if node.loop_lag > 0.1:
        facts.append(f"the event loop is {words.duration(node.loop_lag)} late")
    yield "  ".join(facts)
    size = f" ({words.size(node.stored)})" if node.stored is not None else ""
    yield "  ".join([f"store {node.store}{size}", *(f"http {url}" for url in node.urls)])


def _print(watch: Watch, as_json: bool) -> None:
    if as_json:
        down = {"problem": watch.problem}
        click.echo(words.json_line(watch.picture if not watch.problem else down))
    elif watch.problem or watch.picture is None:
        click.echo(f"down: {watch.problem}", err=True)
    else:
        for line in _head(watch.picture.node):
            click.echo(line)
        columns = shown(watch.rows())
        rows = [[column.text(row) for column in columns] for row in watch.rows()]
        numbers = " ".join(column.head for column in columns if column.head not in _LEFT)
        tables.show([column.head for column in columns], rows, right=numbers)


# Keys ---------------------------------------------------------------------------------------------------------


@contextmanager
def _keys() -> Iterator[None]:
    """Keys come at once and are not shown; the terminal is as before afterwards."""
    import termios
    import tty

    before = termios.tcgetattr(0)
    try:
        tty.setcbreak(0)
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)


def _typed(wait: float) -> str:
    """What is typed within this time, as soon as something is."""
    with contextlib.suppress(InterruptedError):  # the terminal changed its size
        ready, _, _ = select.select([0], [], [], wait)
        if ready:
            typed = os.read(0, 64).decode(errors="replace") or "q"
            return _SEVERAL.sub("", typed)
    return ""
