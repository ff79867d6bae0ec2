"""A test does not end well while a message that failed still waits for its next attempt."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from junctor import Flow, Service, handler
from junctor.testing import Unexpected, running


@dataclass(frozen=True)
class Count:
    n: int


class Sink(Service):
    tries = 0

    @handler
    async def on_count(self, count: Count) -> None:
        self.tries += 1
        if self.tries <= count.n:
            raise ConnectionError(f"no {count.n}")


def test_what_failed_and_is_to_be_tried_again_is_told() -> None:
    with pytest.raises(Unexpected) as told, running(Flow("plant").add(Sink())) as plant:
        plant.send("sink", Count(1))
    said = "sink failed at a message, which is to be tried again when the test ends: ConnectionError: no 1"
    assert said in str(told.value)
    assert "the message: Count(n=1)" in str(told.value)
    assert 'plant.expect_failed("sink")' in str(told.value)


def test_what_was_tried_again_and_went_well_is_not() -> None:
    with running(Flow("plant").add(Sink())) as plant:
        plant.send("sink", Count(2))
        plant.advance("1m")


def test_what_is_expected_is_not() -> None:
    with running(Flow("plant").add(Sink())) as plant:
        plant.send("sink", Count(1))
        plant.expect_failed("sink")
    with running(Flow("plant").add(Sink())) as plant:
        plant.fail("sink", ValueError("by the test"))
        plant.send("sink", Count(0))


def test_an_outage_is_none() -> None:
    with running(Flow("plant").add(Sink(), retry={"on": {"ConnectionError": "hold"}})) as plant:
        plant.send("sink", Count(1))
