"""How values are written for people: one line of text, times, durations, sizes."""

from __future__ import annotations

from datetime import datetime

from junctor.observe.logs import readable


def safe(text: str) -> str:
    """Text from a message or an error on one line, without control characters that a terminal would obey."""
    return readable(text).replace("\n", " ").replace("\t", " ")


def short(text: str, width: int) -> str:
    """At most ``width`` characters, on one line."""
    line = safe(text)
    return line if len(line) <= width else line[: width - 1] + "…"


def clock(instant: datetime) -> str:
    """Local time to the millisecond; with the date when it is not today's."""
    local = instant.astimezone()
    today = local.date() == datetime.now().astimezone().date()
    return local.strftime("%H:%M:%S" if today else "%Y-%m-%d %H:%M:%S") + f".{local.microsecond // 1000:03d}"


def duration(seconds: float) -> str:
    """``850 us``, ``12 ms``, ``3.4 s``, ``5m 12s``, ``3h 5m``, ``2d 4h``."""
    if seconds < 60:
        unit, value = ("us", seconds * 1e6) if seconds < 1e-3 else ("ms", seconds * 1e3)
        if seconds < 1:
            return f"{value:.0f} {unit}"
        return f"{seconds:.1f} s"
    whole = int(seconds)
    for size, word, part, small in ((86400, "d", 3600, "h"), (3600, "h", 60, "m"), (60, "m", 1, "s")):
        if whole >= size:
            return f"{whole // size}{word} {whole % size // part}{small}"
    return f"{whole}s"


def size(count: int) -> str:
    """``512 B``, ``4.0 KB``, ``1.5 MB``: units of 1024."""
    value = float(count)
    for unit in ("B", "KB", "MB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} GB"
