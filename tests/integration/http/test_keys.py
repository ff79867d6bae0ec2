"""Who may call: API keys."""

from __future__ import annotations

import hashlib
import logging
from typing import Any

import pytest

from junctor.errors import ConfigurationError
from junctor.http.access.checks import check_section
from junctor.http.access.keys import Failures
from junctor.http.settings import ApiKey, HttpSettings
from junctor.observe.secrets import mask
from tests.integration.http.client import call, raw
from tests.integration.http.small_host import SmallHost, action, route

SECRET = "correct-horse-battery"
OTHER = "another-long-secret"
KEYS = (
    ApiKey(name="plant", secret=SECRET),
    ApiKey(name="reader", secret="sha256:" + hashlib.sha256(OTHER.encode()).hexdigest(), paths=("/level", "/lab/see")),
)
SETTINGS = HttpSettings(keys=KEYS)


class Tank:
    @route("GET", "/level")
    async def level(self) -> int:
        return 7

    @route("GET", "/levels")
    async def levels(self) -> int:
        return 8

    @route("GET", "/one/{name}")
    async def one(self, name: str) -> str:
        return name

    @action
    async def drain(self) -> None: ...

    @action
    async def see(self) -> None: ...


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"authorization": f"Bearer {SECRET}"}, 200),
        ({"authorization": f"bearer  {SECRET} "}, 200),
        ({"x-api-key": SECRET}, 200),
        ({"x-api-key": OTHER}, 200),
        ({"x-api-key": SECRET, "authorization": f"Bearer {SECRET}"}, 200),
        ({"x-api-key": SECRET, "authorization": f"Bearer {OTHER}"}, 400),
        ({}, 401),
        ({"x-api-key": "wrong"}, 401),
        ({"x-api-key": ""}, 401),
        ({"x-api-key": "\xff\xfe"}, 401),
        ({"authorization": f"Basic {SECRET}"}, 401),
        ({"authorization": SECRET}, 401),
        ({"x-api-key": hashlib.sha256(OTHER.encode()).hexdigest()}, 401),
        ({"x-api-key": "sha256:" + hashlib.sha256(OTHER.encode()).hexdigest()}, 401),
    ],
)
async def test_a_key(serve: Any, headers: dict[str, str], status: int) -> None:
    host = SmallHost(Tank())
    async with serve(host, settings=SETTINGS) as listener:
        answer = await call(listener.port, "GET", "/level", headers=headers)
        assert answer.status == status
        assert len(host.hops) == (status == 200)
        if status == 401:
            assert answer.code == "key" and answer.headers["www-authenticate"] == 'Bearer realm="junctor"'


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/level", 200),
        ("GET", "/levels", 403),
        ("POST", "/lab/see", 204),
        ("POST", "/lab/drain", 403),
        ("GET", "/one/x", 403),
        ("GET", "/level%2Fx", 404),
    ],
)
async def test_a_key_opens_its_paths(serve: Any, method: str, path: str, status: int) -> None:
    async with serve(SmallHost(Tank()), settings=SETTINGS) as listener:
        answer = await call(listener.port, method, path, b"" if method == "POST" else None, {"x-api-key": OTHER})
        assert answer.status == status
        if status == 403:
            assert answer.code == "key-paths" and "reader" in answer.json["detail"]


async def test_an_encoded_slash_opens_nothing(serve: Any) -> None:
    settings = HttpSettings(keys=(ApiKey(name="x", secret=SECRET, paths=("/one/a",)),))
    async with serve(SmallHost(Tank()), settings=settings) as listener:
        for path, status in (("/one/a", 200), ("/one/%61", 200), ("/one/a%2Fb", 403), ("/one/b", 403)):
            assert (await call(listener.port, "GET", path, headers={"x-api-key": SECRET})).status == status


async def test_paths_are_not_told_to_strangers(serve: Any) -> None:
    async with serve(SmallHost(Tank()), settings=SETTINGS) as listener:
        answer = await call(listener.port, "GET", "/leve")
        assert answer.status == 404 and "level" not in answer.json["fix"]


async def test_a_secret_is_masked_everywhere(serve: Any) -> None:
    async with serve(SmallHost(Tank()), settings=SETTINGS):
        assert SECRET not in mask(f"got {SECRET}")


def test_who_fails_again_and_again_waits_longer(caplog: pytest.LogCaptureFixture) -> None:
    failures = Failures()
    with caplog.at_level(logging.WARNING):
        waits = [failures.noted("10.0.0.1", 1.0) for _ in range(30)]
    assert caplog.messages == [f"a wrong API key from 10.0.0.1, the {count}. time" for count in (1, 10)]
    assert waits == sorted(waits) and waits[0] <= 0.1 and waits[-1] == 2.0
    assert failures.noted("10.0.0.2", 1.0) == waits[0]
    assert failures.noted("10.0.0.1", 100.0) == waits[0]


def test_failures_of_many_addresses_are_bounded() -> None:
    failures = Failures()
    for number in range(20_000):
        failures.noted(str(number), 1.0)
    assert len(failures._seen) <= 10_000


@pytest.mark.parametrize(
    "path", ["/one/../level", "/one/%2e%2e", "/one/..%2Flevel", "/one/x%2F..%2F..%2Flevel", "/one/.", "/one/..%5Clevel"]
)
async def test_dots_lead_out_of_no_prefix(serve: Any, path: str) -> None:
    """Whoever resolves them, a handler with files or a proxy, sees another path than the key was checked for."""
    settings = HttpSettings(keys=(ApiKey(name="x", secret=SECRET, paths=("/one",)), ApiKey(name="all", secret=OTHER)))
    async with serve(SmallHost(Tank()), settings=settings) as listener:
        assert (await call(listener.port, "GET", "/one/..x", headers={"x-api-key": SECRET})).status == 200
        assert (await call(listener.port, "GET", path, headers={"x-api-key": SECRET})).status in (403, 404)
        assert (await call(listener.port, "GET", "/one/..", headers={"x-api-key": OTHER})).status == 200


@pytest.mark.parametrize("header", ["x-api-key: ", "authorization: Bearer ", "authorization: Bearer  \t"])
async def test_an_empty_key_is_none(serve: Any, header: str) -> None:
    """Also where somebody made a digest of a variable that was not set."""
    nothing = ApiKey(name="x", secret="sha256:" + hashlib.sha256(b"").hexdigest())
    host = SmallHost(Tank())
    async with serve(host, settings=HttpSettings(keys=(nothing,))) as listener:
        head = f"GET /level HTTP/1.1\r\nhost: localhost\r\n{header}\r\n\r\n"
        assert (await raw(listener.port, head.encode())).code == "key"
        assert not host.hops


@pytest.mark.parametrize("text", [b"", b"\n"])
def test_the_digest_of_nothing_is_no_secret(text: bytes) -> None:
    keys = (ApiKey(name="gateway", secret="sha256:" + hashlib.sha256(text).hexdigest().upper()),)
    with pytest.raises(ConfigurationError, match="the secret of gateway is the digest of an empty text"):
        check_section("f", HttpSettings(keys=keys))
