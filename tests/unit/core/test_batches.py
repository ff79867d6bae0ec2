"""Batches grow, and end when too many fail."""

from __future__ import annotations

import pytest

from junctor.core.batches import Tally, batch_size, pause, reason_to_stop, slice_size


def test_batches_grow_to_a_hundred() -> None:
    assert [batch_size(number) for number in range(6)] == [1, 5, 20, 100, 100, 100]


@pytest.mark.parametrize(
    ("batch", "whole", "stops"),
    [
        ((1, 0), (1, 0), False),
        ((0, 1), (0, 1), True),
        ((4, 1), (5, 1), False),  # a fifth is borne, more is not
        ((3, 2), (4, 2), True),
        ((90, 10), (90, 40), True),  # the batch went well, all together did not
        ((0, 0), (0, 0), False),
    ],
)
def test_the_share_of_the_batch_and_of_all_counts(batch: tuple[int, int], whole: tuple[int, int], stops: bool) -> None:
    assert bool(reason_to_stop(Tally(*batch), Tally(*whole), 0.2)) is stops


def test_the_reason_has_the_figures() -> None:
    assert reason_to_stop(Tally(3, 2), Tally(4, 2), 0.2) == "2 of 5 of the last batch failed, more than 20%"
    assert reason_to_stop(Tally(8, 2), Tally(6, 4), 0.2) == "4 of 10 so far failed, more than 20%"
    assert not reason_to_stop(Tally(0, 5), Tally(0, 9), 1.0)


def test_a_rate_spreads_the_messages() -> None:
    assert pause(10, 0.5, 10.0) == pytest.approx(0.5)
    assert pause(10, 2.0, 10.0) == 0.0
    assert pause(10, 0.0, 0.0) == 0.0
    assert (slice_size(0.0), slice_size(3.0), slice_size(200.0)) == (100, 1, 10)
