"""Tokens do not show."""

from __future__ import annotations

from junctor.adapters.http.answer import Answer
from junctor.adapters.http.call import Call
from junctor.adapters.http.credentials import Tokens


async def test_a_token_that_was_given_up_does_not_show_either() -> None:
    async def ask(call: Call) -> Answer:
        return Answer(200, "OK", {}, b'{"access_token": "hush-hush"}')

    tokens = Tokens(ask, lambda: 0.0, url="https://id.example/token", client="me", secret="s")
    given = await tokens.authorization()
    assert given == "Bearer hush-hush"
    assert tokens.refused(given)  # by one call, while another one's answer is told
    assert tokens.masked("hush-hush is unknown") == "*** is unknown"
