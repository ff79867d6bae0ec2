"""Signatures of webhooks: an HMAC over the body, made with a secret that both sides have.

How GitHub (``X-Hub-Signature-256``), Slack (``X-Slack-Signature``) and Stripe (``Stripe-Signature``) sign is described
in the documentation of each.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

Algorithm = Literal["sha256", "sha512"]
Encoding = Literal["hex", "base64"]

_HASHES = {"sha256": hashlib.sha256, "sha512": hashlib.sha512}
_MOST = 8
"""Signatures of one request that are looked at: a sender that changes its secret signs with both."""


class Scheme(msgspec.Struct, frozen=True):
    """How a sender signs.

    ``header`` has the signature, behind ``prefix``. ``timestamp`` names the header with the time of sending, in seconds
    since 1970; empty where none is sent. What is signed is the body, with ``before`` in front, where ``{timestamp}``
    stands for the time. ``listed``: time and signatures are parts of the one header, ``t=...,v1=...``.
    """

    header: str
    algorithm: Algorithm = "sha256"
    encoding: Encoding = "hex"
    prefix: str = ""
    timestamp: str = ""
    before: str = ""
    listed: bool = False


PRESETS = {
    "github": Scheme("x-hub-signature-256", prefix="sha256="),
    "slack": Scheme("x-slack-signature", prefix="v0=", timestamp="x-slack-request-timestamp", before="v0:{timestamp}:"),
    "stripe": Scheme("stripe-signature", prefix="v1=", before="{timestamp}.", listed=True),
}


class Signed(msgspec.Struct, frozen=True):
    """What a request says of its signature."""

    signatures: Sequence[str]
    timestamp: str = ""


def problem_of(
    scheme: Scheme,
    secrets: Sequence[bytes],
    header: Callable[[str], str],
    body: bytes,
    *,
    now: float,
    tolerance: float,
) -> str:
    """What is wrong with the signature of a request, in a few words; empty where it is right.

    The time that a comparison takes says nothing of the right one, and all secrets are compared with.

    :param header: a header of the request by its name, empty where it is missing.
    :param now: seconds since 1970; a request whose time is further away than ``tolerance`` seconds is refused, since
        somebody may send again what they have overheard.
    """
    signed = _signed(scheme, header)
    if not signed.signatures:
        return "there is no signature"
    timed = bool(scheme.timestamp) or scheme.listed
    if timed and not _is_recent(signed.timestamp, now, tolerance):
        return "its time is missing, or too far away"
    text = scheme.before.replace("{timestamp}", signed.timestamp).encode() + body
    right = False
    for secret in secrets:
        wanted = signature(scheme, secret, text)
        for given in signed.signatures:
            right |= hmac.compare_digest(wanted.encode(), given.encode("utf-8", "surrogateescape"))
    return "" if right else "the signature is wrong"


def signature(scheme: Scheme, secret: bytes, text: bytes) -> str:
    """The signature of what is signed, without its prefix."""
    digest = hmac.new(secret, text, _HASHES[scheme.algorithm]).digest()
    return digest.hex() if scheme.encoding == "hex" else base64.b64encode(digest).decode()


def _signed(scheme: Scheme, header: Callable[[str], str]) -> Signed:
    given = header(scheme.header).strip()
    if not scheme.listed:
        found = [given.removeprefix(scheme.prefix)] if given and given.startswith(scheme.prefix) else []
        return Signed(_written(scheme, found), header(scheme.timestamp).strip() if scheme.timestamp else "")
    parts = [part.strip() for part in given.split(",")]
    times = [part[2:] for part in parts if part.startswith("t=")]
    found = [part.removeprefix(scheme.prefix) for part in parts if part.startswith(scheme.prefix)]
    return Signed(_written(scheme, found[:_MOST]), times[0] if len(times) == 1 else "")


def _written(scheme: Scheme, found: list[str]) -> list[str]:
    return [one.lower() for one in found] if scheme.encoding == "hex" else found


def _is_recent(timestamp: str, now: float, tolerance: float) -> bool:
    return re.fullmatch(r"[0-9]{1,12}", timestamp) is not None and abs(now - int(timestamp)) <= tolerance
