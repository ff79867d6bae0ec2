"""A route that stands for many functions: each of them is prompt or not by itself."""

from __future__ import annotations

from typing import Any

from junctor.http.promptness import LONG, PROBATION, PROMPT, Promptness, Prompts


def prompt() -> str:
    return "prompt"


def other() -> str:
    return "other"


class Many:
    """Stands for two functions, chosen by an argument."""

    def __call__(self, name: str) -> Any:
        return (prompt if name == "prompt" else other)()

    def function_of(self, name: str) -> Any:
        return {"prompt": prompt, "other": other}.get(name)


def test_of_each_function_there_is_one_promptness() -> None:
    prompts, many = Prompts(), Many()
    for _ in range(PROBATION):
        prompts.of(many, {"name": "prompt"}).timed(many)(name="prompt")
    assert prompts.of(many, {"name": "prompt"}).on_loop
    assert not prompts.of(many, {"name": "other"}).on_loop
    assert not prompts.of(many, {"name": "unknown"}).on_loop


def test_a_plain_function_has_one() -> None:
    prompts = Prompts()
    assert prompts.of(prompt, {}) is prompts.of(prompt, {})


def threads_until_the_loop(promptness: Promptness) -> int:
    """Calls that are made in threads before the next one on the loop."""
    calls = 0
    while not promptness.on_loop:
        promptness._noted(0)
        calls += 1
    return calls


def test_a_ban_is_longer_each_time_and_short_again_after_a_good_while() -> None:
    promptness = Promptness()
    bans = [threads_until_the_loop(promptness)]
    for ran in (1, 1, 1, 300_000):
        promptness._since = ran
        promptness._held_up(LONG * 2)
        bans.append(threads_until_the_loop(promptness))
    assert bans == [PROBATION, PROBATION * 10, PROBATION * 100, PROBATION * 1000, PROBATION * 10]


def test_one_slow_call_of_many_is_forgiven() -> None:
    promptness = Promptness()
    threads_until_the_loop(promptness)
    promptness._since += 1
    promptness._held_up(PROMPT * 2)
    assert promptness.on_loop
    promptness._since += 5
    promptness._held_up(PROMPT * 2)
    assert not promptness.on_loop
