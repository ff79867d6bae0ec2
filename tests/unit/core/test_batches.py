"""Batches grow, and end when too many fail."""

from __future__ import annotations

import pytest

from junctor.core.batches import Tally, batch_size, free_at, reason_to_stop, slice_size


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
    assert free_at(100.0, 100.0, 1, 10.0) == pytest.approx(100.1)
    assert free_at(100.1, 100.05, 5, 10.0) == pytest.approx(100.6)
    assert free_at(100.6, 200.0, 1, 10.0) == pytest.approx(200.1), "a minute of waiting does not make it faster"
    assert free_at(100.6, 200.0, 100, 0.0) == 200.0
    assert (slice_size(0.0), slice_size(3.0), slice_size(200.0)) == (100, 1, 10)
