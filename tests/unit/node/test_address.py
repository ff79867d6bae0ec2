"""Where to listen, from text, options and the environment."""

from __future__ import annotations

import pytest

from junctor.errors import ConfigurationError
from junctor.node.address import Address, chosen_address, parse_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8080", Address("127.0.0.1", 8080)),
        ("0.0.0.0:0", Address("0.0.0.0", 0)),
        (":80", Address(None, 80)),
        ("80", Address(None, 80)),
        ("[::1]:80", Address("::1", 80)),
    ],
)
def test_an_address(text: str, address: Address) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize("text", ["", "host", "host:", "host:http", "::1", "1:2:3", "127.0.0.1:65536"])
def test_no_address(text: str) -> None:
    with pytest.raises(ConfigurationError, match="not an address"):
        parse_address(text)


def test_an_option_goes_before_the_environment() -> None:
    assert chosen_address(None, None, {}) == Address()
    assert chosen_address(None, None, {"PORT": "90"}) == Address(None, 90)
    assert chosen_address("::1", 91, {"PORT": "90"}) == Address("::1", 91)
    assert chosen_address(None, 0, {"PORT": "x"}) == Address(None, 0)
    with pytest.raises(ConfigurationError, match=r"\$PORT"):
        chosen_address(None, None, {"PORT": "x"})
