"""The end of calls that take too long."""

from __future__ import annotations

import gc
import threading

from junctor.adapters.sql.limit import Limit


def watches() -> int:
    return sum(thread.name == "sql limit" for thread in threading.enumerate())


def test_a_call_is_cut_off_once_and_the_next_one_has_its_own_time() -> None:
    cuts: list[int] = []
    over = threading.Event()

    def cut() -> None:
        cuts.append(1)
        over.set()

    limit = Limit(0.02, cut)
    with limit:
        assert over.wait(5)
    assert limit.exceeded
    with limit:
        assert not limit.exceeded
    assert cuts == [1]
    limit.close()


def test_its_thread_ends_with_it() -> None:
    before = watches()
    limit = Limit(0.02, lambda: None)
    assert watches() == before, "none before it is needed"
    with limit:
        pass
    thread = limit._thread
    assert thread is not None
    del limit
    gc.collect()
    thread.join(5)
    assert not thread.is_alive()
