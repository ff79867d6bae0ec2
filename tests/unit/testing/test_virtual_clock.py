"""The virtual clock: its order, its grain, and what is looked after without a timer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from junctor.clock import SECOND, VirtualClock


async def test_timers_fire_at_their_instants_in_the_order_of_due_time_then_of_making() -> None:
    clock = VirtualClock()
    seen: list[tuple[float, str]] = []
    for delay, name in ((2.0, "late"), (1.0, "first"), (1.0, "second"), (0.0, "now")):
        clock.call_later(delay, lambda name=name: seen.append((clock.monotonic(), name)))  # type: ignore[misc]
    await clock.advance(1.5)
    assert seen == [(0.0, "now"), (1.0, "first"), (1.0, "second")]
    await clock.advance(0.5)
    assert seen[-1] == (2.0, "late")


async def test_a_cancelled_timer_does_not_fire_and_is_not_waited_for() -> None:
    clock = VirtualClock()
    timer = clock.call_later(1.0, lambda: pytest.fail("cancelled"))
    timer.cancel()
    assert clock.next_due == 0
    await clock.advance(2.0)


@pytest.mark.parametrize("delay", [1e-9, 2.4e-7, 0.1, 29.999999999999, 86400.1])
async def test_any_delay_passes_time_in_whole_microseconds(delay: float) -> None:
    clock = VirtualClock()
    clock.call_later(delay, lambda: None)
    passed = clock.next_due - clock.time_ns()
    assert passed > 0 and passed % 1000 == 0 and abs(passed / SECOND - delay) <= 1e-6


async def test_what_is_looked_after_is_called_exactly_when_it_is_due() -> None:
    clock = VirtualClock()
    begin = clock.time_ns()
    waiting = [begin + 3 * SECOND, begin + 5 * SECOND]
    seen: list[float] = []

    def late() -> None:
        seen.append(clock.monotonic())
        waiting.pop(0)

    look = clock.look_after(0.1, late, lambda: waiting[0] if waiting else 0)
    clock.call_later(4.0, lambda: seen.append(-4.0))
    await clock.advance(10.0)
    assert seen == [3.0, -4.0, 5.0]
    look.cancel()
    waiting.append(begin + 11 * SECOND)
    assert clock.next_due == 0


async def test_what_is_left_as_it_is_does_not_stop_time() -> None:
    clock = VirtualClock()
    calls: list[float] = []
    clock.look_after(0.1, lambda: calls.append(clock.monotonic()), lambda: clock_begin + SECOND)
    clock_begin = clock.time_ns()
    await clock.advance(10.0)
    assert calls == [1.0] and clock.monotonic() == 10.0


def test_it_begins_where_it_is_told() -> None:
    assert VirtualClock().now == datetime(2030, 1, 1, tzinfo=UTC)
    assert VirtualClock(datetime(2026, 3, 1, 12)).now == datetime(2026, 3, 1, 12, tzinfo=UTC)
    east = datetime(2026, 3, 1, 12, 0, 0, 5, tzinfo=timezone(timedelta(hours=2)))
    assert VirtualClock(east).now == east
