"""A route that stands for many functions: each of them is prompt or not by itself."""

from __future__ import annotations

from typing import Any

from junctor.http.promptness import PROBATION, Prompts


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
        prompts.of(many, {"name": "prompt"}).bound(many)(name="prompt")
    assert prompts.of(many, {"name": "prompt"}).on_loop
    assert not prompts.of(many, {"name": "other"}).on_loop
    assert not prompts.of(many, {"name": "unknown"}).on_loop


def test_a_plain_function_has_one() -> None:
    prompts = Prompts()
    assert prompts.of(prompt, {}) is prompts.of(prompt, {})
