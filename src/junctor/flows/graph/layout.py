"""Where everything stands: columns by the longest way to a service, order by neighbours, no two things in one place.

The label of a connection is a thing of its own that stands in a column between services, and a connection that passes a
column has a place in it. So nothing overlaps by construction: lines bend only between columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

Sized = tuple[float, float]
"""Width and height."""

COLUMN_GAP = 46.0
ROW_GAP = 20.0
LINE_GAP = 10.0
SWEEPS = 12


class Arc(msgspec.Struct, frozen=True):
    """A connection to lay out: names of boxes, and the size of its label."""

    source: str
    to: str
    label: Sized


class Spot(msgspec.Struct, eq=False):
    """A thing in a column: a box, the label of an arc, or the place where an arc passes. ``x`` and ``y`` are its left
    upper corner; ``name`` is that of a box, else empty. ``left`` and ``right`` are the borders of its column."""

    column: int
    width: float
    height: float
    name: str = ""
    band: int = 0
    x: float = 0.0
    y: float = 0.0
    left: float = 0.0
    right: float = 0.0
    rank: float = 0.0
    before: list[Spot] = []
    after: list[Spot] = []

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


class Laid(msgspec.Struct):
    """A finished layout: the spots of boxes by name; for each arc its spots from end to end in the order of columns,
    where its label stands, and whether it runs backwards (its first spot is where it leads to)."""

    boxes: dict[str, Spot]
    chains: list[list[Spot]]
    labels: list[Spot]
    backwards: list[bool]


def lay_out(sizes: Mapping[str, Sized], bands: Mapping[str, int], arcs: Sequence[Arc]) -> Laid:
    """Place boxes and arcs.

    :param bands: the horizontal band that each box belongs to, from 0.
    """
    turned = _turned(sizes, arcs)
    columns = _columns(sizes, arcs, turned)
    joined = {end for arc in arcs for end in (arc.source, arc.to)}
    boxes = {
        name: Spot(2 * columns[name], *size, name=name, band=bands[name], before=[], after=[])
        for name, size in sizes.items()
        if name in joined
    }
    laid = Laid(boxes, [], [], turned)
    for arc, back in zip(arcs, turned, strict=True):
        _chain(laid, boxes[arc.to if back else arc.source], boxes[arc.source if back else arc.to], arc.label)
    spots = list(dict.fromkeys([*boxes.values(), *(spot for chain in laid.chains for spot in chain)]))
    _place_across(spots)
    top = 0.0
    for band in sorted({*bands.values()}):
        own = [spot for spot in spots if spot.band == band]
        if own:
            _order(own)
            _place_down(own)
        alone = [name for name in sizes if name not in joined and bands[name] == band]
        top = _stack(laid, own, alone, sizes, band, top)
    return laid


# Columns ------------------------------------------------------------------------------------------------------


def _turned(names: Iterable[str], arcs: Sequence[Arc]) -> list[bool]:
    """Which arcs run backwards: those that close a circle on a walk from the boxes where nothing comes in."""
    leaving: dict[str, list[int]] = {name: [] for name in names}
    entered = {arc.to for arc in arcs if arc.source != arc.to}
    for index, arc in enumerate(arcs):
        leaving[arc.source].append(index)
    turned = [False] * len(arcs)
    done: set[str] = set()
    for start in sorted(leaving, key=lambda name: name in entered):
        path: set[str] = set()
        waiting: list[tuple[str, bool]] = [(start, False)]
        while waiting:
            name, leaves = waiting.pop()
            if leaves:
                path.discard(name)
                done.add(name)
            elif name not in done and name not in path:
                path.add(name)
                waiting.append((name, True))
                for index in reversed(leaving[name]):
                    if arcs[index].to in path:
                        turned[index] = True
                    elif arcs[index].to not in done:
                        waiting.append((arcs[index].to, False))
    return turned


def _columns(names: Iterable[str], arcs: Sequence[Arc], turned: Sequence[bool]) -> dict[str, int]:
    """The length of the longest way to each box; a box that only leads on stands right before what it leads to."""
    ways = [(arc.to, arc.source) if back else (arc.source, arc.to) for arc, back in zip(arcs, turned, strict=True)]
    columns = dict.fromkeys(names, 0)
    for _ in columns:
        moved = False
        for source, to in ways:
            if columns[to] <= columns[source] and source != to:
                columns[to], moved = columns[source] + 1, True
        if not moved:
            break
    entered = {to for _, to in ways}
    for name in columns:
        nexts = [columns[to] for source, to in ways if source == name]
        if name not in entered and nexts:
            columns[name] = min(nexts) - 1
    return columns


def _chain(laid: Laid, start: Spot, end: Spot, label: Sized) -> None:
    """The spots of an arc: its label in the column behind its start, and a narrow place in each one it passes."""
    chain = [start]
    for column in range(start.column + 1, end.column):
        first = column == start.column + 1
        size = label if first else (0.0, 2.0)
        chain.append(Spot(column, *size, band=start.band, before=[], after=[]))
    chain.append(end)
    for one, following in zip(chain, chain[1:], strict=False):
        one.after.append(following)
        following.before.append(one)
    laid.chains.append(chain)
    laid.labels.append(chain[1])


def _place_across(spots: Sequence[Spot]) -> None:
    widths: dict[int, float] = {}
    for spot in spots:
        widths[spot.column] = max(widths.get(spot.column, 0.0), spot.width)
    left, x = {}, 0.0
    for column in sorted(widths):
        left[column] = x
        x += widths[column] + COLUMN_GAP
    for spot in spots:
        # Boxes stand in the middle of their column, labels too: lines to both sides are alike.
        spot.x = left[spot.column] + (widths[spot.column] - spot.width) / 2
        spot.left, spot.right = left[spot.column], left[spot.column] + widths[spot.column]


# Order in a column ------------------------------------------------------------------------------------------


def _order(spots: Sequence[Spot]) -> None:
    """Sort each column by the mean rank of its neighbours, to and fro; what crosses least is kept."""
    columns = _by_column(spots)
    for column in columns:
        _rank(column)
    best, fewest = [list(column) for column in columns], _crossings(columns)
    for sweep in range(SWEEPS):
        forward = sweep % 2 == 0
        for column in columns if forward else reversed(columns):
            column.sort(key=lambda spot: _mean(spot.before if forward else spot.after, spot))
            _rank(column)
        count = _crossings(columns)
        if count < fewest:
            best, fewest = [list(column) for column in columns], count
    for column in best:
        _rank(column)


def _by_column(spots: Sequence[Spot]) -> list[list[Spot]]:
    columns: dict[int, list[Spot]] = {}
    for spot in spots:
        columns.setdefault(spot.column, []).append(spot)
    return [columns[column] for column in sorted(columns)]


def _rank(column: Sequence[Spot]) -> None:
    for rank, spot in enumerate(column):
        spot.rank = float(rank)


def _mean(neighbours: Sequence[Spot], spot: Spot) -> float:
    own = [other.rank for other in neighbours if other.band == spot.band]
    return sum(own) / len(own) if own else spot.rank


def _crossings(columns: Sequence[Sequence[Spot]]) -> int:
    count = 0
    for column in columns:
        lines = [(spot.rank, after.rank) for spot in column for after in spot.after if after.band == spot.band]
        count += sum(
            (a < c and b > d) or (a > c and b < d) for index, (a, b) in enumerate(lines) for c, d in lines[index + 1 :]
        )
    return count


# Height -----------------------------------------------------------------------------------------------------


def _place_down(spots: Sequence[Spot]) -> None:
    """Give each spot the height of its neighbours' mean, as far as those above and below it leave it."""
    columns = [sorted(column, key=lambda spot: spot.rank) for column in _by_column(spots)]
    for column in columns:
        _settle(column, [0.0] * len(column))
    for sweep in range(SWEEPS):
        forward = sweep % 2 == 0
        for column in columns if forward else reversed(columns):
            _settle(column, [_wanted(spot, forward, sweep) for spot in column])


def _wanted(spot: Spot, forward: bool, sweep: int) -> float:
    sides = spot.before if forward else spot.after
    if sweep >= SWEEPS - 4:
        sides = [*spot.before, *spot.after]
    own = [other.middle for other in sides if other.band == spot.band]
    return (sum(own) / len(own) if own else spot.middle) - spot.height / 2


def _settle(column: Sequence[Spot], wanted: Sequence[float]) -> None:
    """The heights nearest to the wanted ones that keep order and distance: what would collide moves as one."""
    offsets, offset = [], 0.0
    for index, spot in enumerate(column):
        if index:
            above = column[index - 1]
            offset += above.height + (ROW_GAP if spot.name and above.name else LINE_GAP)
        offsets.append(offset)
    blocks: list[tuple[float, int]] = []
    for want, off in zip(wanted, offsets, strict=True):
        mean, count = want - off, 1
        while blocks and blocks[-1][0] > mean:
            other, size = blocks.pop()
            mean, count = (mean * count + other * size) / (count + size), count + size
        blocks.append((mean, count))
    starts = [mean for mean, count in blocks for _ in range(count)]
    for spot, start, off in zip(column, starts, offsets, strict=True):
        spot.y = start + off


def _stack(
    laid: Laid, own: Sequence[Spot], alone: Sequence[str], sizes: Mapping[str, Sized], band: int, top: float
) -> float:
    """Move a band below the ones before it, with what is not connected in rows under it; its lower end."""
    bottom = top
    if own:
        shift = top - min(spot.y for spot in own)
        for spot in own:
            spot.y += shift
        bottom = max(spot.y + spot.height for spot in own)
    if alone:
        y = bottom + ROW_GAP if own else top
        width = max([*(spot.x + spot.width for spot in own), 760.0])
        bottom = _rows(laid, alone, sizes, band, y, width)
    return bottom + BAND_GAP


BAND_GAP = 86.0


def _rows(laid: Laid, names: Sequence[str], sizes: Mapping[str, Sized], band: int, y: float, width: float) -> float:
    x = deepest = 0.0
    for name in names:
        wide, high = sizes[name]
        if x and x + wide > width:
            x, y = 0.0, y + deepest + ROW_GAP
            deepest = 0.0
        laid.boxes[name] = Spot(0, wide, high, name=name, band=band, x=x, y=y, left=x, right=x + wide)
        x += wide + ROW_GAP
        deepest = max(deepest, high)
    return y + deepest
