"""Known secrets are masked in every form they are written in, and cost nothing where there are none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from junctor.observe import secrets


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(secrets, "_known", set())
    monkeypatch.setattr(secrets, "_pattern", None)
    yield


def test_without_secrets_a_text_is_itself() -> None:
    text = "as it is"
    assert secrets.mask(text) is text


@pytest.mark.parametrize(
    "text",
    ["a p@ss'w\\rd b", repr({"password": "p@ss'w\\rd"}), '{"p": "p@ss\'w\\\\rd"}', "https://me:p%40ss%27w%5Crd@host/"],
)
def test_a_secret_is_masked_however_it_is_written(text: str) -> None:
    secrets.register(["p@ss'w\\rd"])
    masked = secrets.mask(text)
    assert "ss" not in masked.replace("password", "")
    assert "***" in masked


def test_of_two_that_begin_alike_the_longer_is_masked_whole() -> None:
    secrets.register(["abcd"])
    secrets.register(["abcdefgh"])
    assert secrets.mask("abcdefgh abcd") == "*** ***"


def test_short_ones_are_in_half_of_all_words() -> None:
    secrets.register(["", "abc"])
    assert secrets.mask("abc") == "abc"
