"""Signatures of webhooks: those that senders publish as examples, and what is wrong with others."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from junctor.adapters.http.signature import PRESETS, Scheme, problem_of

NOW = 1_900_000_000.0
SECRET = b"hush"


def problem(scheme: Scheme, headers: dict[str, str], body: bytes, *secrets: bytes, now: float = NOW) -> str:
    given = {name.lower(): value for name, value in headers.items()}
    return problem_of(scheme, secrets or [SECRET], lambda name: given.get(name, ""), body, now=now, tolerance=300)


def made(text: bytes, secret: bytes = SECRET) -> str:
    return hmac.new(secret, text, hashlib.sha256).hexdigest()


def test_github_as_in_its_documentation() -> None:
    """https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries"""
    signed = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    secret, body = b"It's a Secret to Everybody", b"Hello, World!"
    assert not problem(PRESETS["github"], {"X-Hub-Signature-256": signed}, body, secret)
    assert problem(PRESETS["github"], {"X-Hub-Signature-256": signed}, body + b" ", secret)
    assert problem(PRESETS["github"], {"X-Hub-Signature-256": signed.removeprefix("sha256=")}, body, secret)


def test_slack_as_in_its_documentation() -> None:
    """https://api.slack.com/authentication/verifying-requests-from-slack"""
    secret = b"8f742231b10e8888abcd99yyyzzz85a5"
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    headers = {
        "X-Slack-Signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
        "X-Slack-Request-Timestamp": "1531420618",
    }
    assert not problem(PRESETS["slack"], headers, body, secret, now=1531420700)
    assert "too far away" in problem(PRESETS["slack"], headers, body, secret, now=1531421000)


def test_stripe_with_two_secrets_and_an_older_scheme() -> None:
    now = str(int(NOW))
    one, two = made(f"{now}.x".encode()), made(f"{now}.x".encode(), b"new")
    header = f"t={now},v1={two},v1={one},v0=abc"
    assert not problem(PRESETS["stripe"], {"Stripe-Signature": header}, b"x")
    assert not problem(PRESETS["stripe"], {"Stripe-Signature": header}, b"x", b"old", b"new")
    assert problem(PRESETS["stripe"], {"Stripe-Signature": header}, b"x", b"old")
    assert problem(PRESETS["stripe"], {"Stripe-Signature": f"t={now},v0={one}"}, b"x") == "there is no signature"
    assert "time" in problem(PRESETS["stripe"], {"Stripe-Signature": f"v1={one}"}, b"x")
    assert "time" in problem(PRESETS["stripe"], {"Stripe-Signature": f"t={now},t=1,v1={one}"}, b"x")


@pytest.mark.parametrize("encoding", ["hex", "base64"])
@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_one_of_ones_own(algorithm: str, encoding: str) -> None:
    digest = hmac.new(SECRET, b"x", algorithm).digest()
    text = digest.hex().upper() if encoding == "hex" else base64.b64encode(digest).decode()
    scheme = Scheme("x-signature", algorithm=algorithm, encoding=encoding)  # type: ignore[arg-type]
    assert not problem(scheme, {"X-Signature": text}, b"x")
    assert not problem(scheme, {"X-Signature": text}, b"x", b"old", SECRET)
    assert problem(scheme, {"X-Signature": text[:-1]}, b"x")


@pytest.mark.parametrize("timestamp", ["", "soon", "-1", "1e9", "1900000301", "1899999699", "٣", "9" * 30])
def test_a_time_that_is_none_or_far_away(timestamp: str) -> None:
    scheme = Scheme("x-signature", timestamp="x-time", before="{timestamp}.")
    headers = {"X-Signature": made(f"{timestamp}.x".encode()), "X-Time": timestamp}
    assert "time" in problem(scheme, headers, b"x")


@given(text=st.text(), body=st.binary())
def test_nobody_guesses(text: str, body: bytes) -> None:
    for name in PRESETS:
        scheme = PRESETS[name]
        assert problem(scheme, {scheme.header: text, scheme.timestamp: str(int(NOW))}, body)
