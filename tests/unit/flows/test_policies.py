"""Policies as written: text, numbers, mappings; a wrong word answers with the right one."""

from __future__ import annotations

import math
from typing import Any

import pytest

from junctor.core.policy import HoldPolicy, Policies, PoolPolicy, QueuePolicy, RestartPolicy, RetryPolicy
from junctor.errors import ConfigurationError
from junctor.flows.policies import parse_size, read_policies


def read(**written: Any) -> Policies:
    return read_policies(Policies(), written, "alarm")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({}, Policies()),
        ({"pool": 4}, Policies(pool=PoolPolicy(size=4))),
        ({"pool": 4, "key": "sensor", "order": "skip"}, Policies(pool=PoolPolicy(size=4, key="sensor", order="skip"))),
        ({"pool": "4"}, Policies(pool=PoolPolicy(size=4))),
        ({"timeout": "never"}, Policies(timeout=math.inf)),
        ({"pool": {"size": 2, "calls": 8}}, Policies(pool=PoolPolicy(size=2, calls=8))),
        ({"pool": PoolPolicy(size=3), "key": "a"}, Policies(pool=PoolPolicy(size=3, key="a"))),
        ({"retry": RetryPolicy(attempts=1)}, Policies(retry=RetryPolicy(attempts=1))),
        (
            {
                "retry": {
                    "attempts": 3,
                    "initial": "200ms",
                    "max": "1m",
                    "backoff": "constant",
                    "on": {"OSError": "hold"},
                }
            },
            Policies(retry=RetryPolicy(attempts=3, initial=0.2, max=60, factor=1.0, on={"OSError": "hold"})),
        ),
        ({"hold": {"initial": "5s"}}, Policies(hold=HoldPolicy(initial=5))),
        ({"restart": {"limit": 1, "window": "1h"}}, Policies(restart=RestartPolicy(limit=1, window=3600))),
        ({"queue": 10}, Policies(queue=QueuePolicy(limit=10))),
        ({"queue": {"bytes": "64MiB", "wait": 0}}, Policies(queue=QueuePolicy(bytes=64 << 20, wait=0))),
        ({"durability": "written"}, Policies(durability="written")),
        ({"trace": "failures"}, Policies(trace="failures")),
        ({"timeout": "2m"}, Policies(timeout=120.0)),
    ],
)
def test_what_can_be_written(written: dict[str, Any], expected: Policies) -> None:
    assert read(**written) == expected


def test_what_is_left_out_stays_as_it_was() -> None:
    base = Policies(retry=RetryPolicy(attempts=9, max=9), timeout=7)
    made = read_policies(base, {"retry": {"attempts": 2}, "pool": None}, "alarm")
    assert made == Policies(retry=RetryPolicy(attempts=2, max=9), timeout=7)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ({"retry": {"attemps": 3}}, 'alarm.retry.attemps: there is no such word. Did you mean "attempts"?'),
        ({"retry": {"max": "long"}}, "alarm.retry.max: 'long' is not a duration. Write for example"),
        ({"retry": {"attempts": "three"}}, 'alarm.retry.attempts: expected a whole number, got "three". Write a whole'),
        ({"retry": {"attempts": 2.5}}, "alarm.retry.attempts: expected a whole number, got 2.5."),
        ({"retry": {"attempts": 0}}, "alarm.retry: retry.attempts is 0. Give at least 1"),
        ({"retry": {"initial": 5, "max": 1}}, "alarm.retry: the retry waits must grow"),
        (
            {"retry": {"backoff": "linear"}},
            "alarm.retry.backoff: 'linear' is not known here. Write one of: exponential,",
        ),
        ({"retry": {"on": {"OSError": "wait"}}}, "alarm.retry.on"),
        ({"retry": 3}, 'alarm.retry: expected a mapping or RetryPolicy, got 3. Write for example retry={"initial"'),
        ({"pool": 0}, "alarm.pool: pool is 0. Give a number of deliveries at once from 1 to 1024."),
        ({"pool": True}, "expected a number or a mapping or PoolPolicy, got True. Write for example pool=4."),
        ({"pool": "4x"}, 'expected a number or a mapping or PoolPolicy, got "4x". Write for example pool=4.'),
        ({"order": "any"}, "alarm.order: 'any' is not known here. Write one of: strict, skip."),
        ({"key": 5}, "alarm.key: expected the name of a field, got 5. Give the name of a field of the body"),
        ({"queue": {"limit": 0}}, "alarm.queue: queue.limit is 0. Give at least 1"),
        ({"queue": -1}, "alarm.queue: queue.limit is -1."),
        ({"queue": {"bytes": 0}}, "alarm.queue: queue.bytes is 0."),
        ({"queue": {"wait": -1.0}}, "alarm.queue"),
        ({"queue": {"bytes": "much"}}, 'bytes: expected a whole number, got "much". Write a whole number; a size also'),
        ({"queue": "x"}, 'Write for example queue={"limit": 10000, "bytes": "64MiB"}.'),
        ({"durability": "disk"}, "alarm.durability: 'disk' is not known here. Write one of: fsync, written."),
        ({"trace": "some"}, "alarm.trace: 'some' is not known here. Write one of: all, failures, off."),
        ({"timeout": "x"}, "alarm.timeout: 'x' is not a duration"),
    ],
)
def test_what_is_wrong_names_the_word_and_the_way_out(written: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(**written)
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("text", "size"),
    [("64MiB", 64 << 20), ("1GB", 10**9), ("10", 10), ("1.5 KiB", 1536), ("2k", 2000), ("3B", 3), ("1TiB", 1 << 40)],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "MiB", "1 PB", "-1", "1e3"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="is not a size"):
        parse_size(text)
