"""What a node answers itself: health, metrics, the index; who may ask; which paths a service may not take."""

from __future__ import annotations

from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from junctor.core.lifecycle import State
from junctor.errors import ConfigurationError
from junctor.http import Response, html
from junctor.http.access.guard import Guard
from junctor.http.app import Site
from junctor.http.settings import Cors, HttpSettings
from tests.integration.http.client import call, raw
from tests.integration.http.small_host import SmallHost, action, node_of, route


class Pump:
    """Moves water.

    More words."""

    @route("GET", "/level")
    async def level(self) -> int:
        """The level <now>."""
        return 3

    @action
    async def stop(self) -> None: ...


# Health ---------------------------------------------------------------------------------------------------------


async def test_alive_is_alive_whatever_the_services_do(serve: Any) -> None:
    host = SmallHost(Pump())
    host.lifecycle.to(State.FAILED, "boom")
    async with serve(host) as listener:
        answer = await call(listener.port, "GET", "/health/live")
        assert (answer.status, answer.json) == (200, {"status": "alive"})
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (State.HELD, 200),
        (State.PAUSED, 200),
        (State.BACKOFF, 503),
        (State.FAILED, 503),
        (State.STOPPING, 503),
    ],
)
async def test_ready_means_that_every_service_runs(serve: Any, state: State, status: int) -> None:
    host, other = SmallHost(Pump()), SmallHost(object(), "other")
    async with serve(host, other) as listener:
        assert (await call(listener.port, "GET", "/health/ready")).json["status"] == "ready"
        host.lifecycle.to(state, "the printer is off")
        answer = await call(listener.port, "GET", "/health/ready")
        assert answer.status == status
        assert answer.json["reasons" if status == 503 else "waiting"] == [
            f"test/lab is {state.value}: the printer is off"
        ]


async def test_a_stopping_node_is_not_ready(serve: Any) -> None:
    node = node_of(SmallHost(Pump()))
    node.stopping = True
    async with serve(node=node) as listener:
        answer = await call(listener.port, "GET", "/health/ready")
        assert (answer.status, answer.json["reasons"]) == (503, ["the node is stopping"])
        assert (await call(listener.port, "GET", "/health/started")).status == 200


async def test_a_node_that_starts_is_alive_and_neither_started_nor_ready(serve: Any) -> None:
    node = node_of(SmallHost(Pump()))
    node.ready = False
    async with serve(node=node) as listener:
        answer = await call(listener.port, "GET", "/health/ready")
        assert (answer.status, answer.json["reasons"]) == (503, ["the node is starting"])
        answer = await call(listener.port, "GET", "/health/started")
        assert (answer.status, answer.json) == (503, {"status": "starting"})
        assert (await call(listener.port, "GET", "/health/live")).status == 200


@pytest.mark.parametrize(
    ("alias", "path"), [("livez", "live"), ("healthz", "live"), ("readyz", "ready"), ("startupz", "started")]
)
async def test_kubernetes_finds_the_names_it_knows(serve: Any, alias: str, path: str) -> None:
    async with serve(SmallHost(Pump())) as listener:
        answer = await call(listener.port, "GET", f"/{alias}")
        assert (answer.status, answer.json) == (200, (await call(listener.port, "GET", f"/health/{path}")).json)


async def test_a_service_that_wants_such_a_name_gets_it(serve: Any) -> None:
    class Own:
        @route("GET", "/healthz")
        async def health(self) -> str:
            return "mine"

    async with serve(SmallHost(Own())) as listener:
        assert b"mine" in (await call(listener.port, "GET", "/healthz")).body
        assert (await call(listener.port, "GET", "/livez")).json == {"status": "alive"}


# Metrics --------------------------------------------------------------------------------------------------------


async def test_metrics_read_as_prometheus_reads_them(serve: Any) -> None:
    host = SmallHost(Pump(), 'la"b')
    host.counters.done, host.counters.busy, host.depth.count = 7, 2_500_000_000, 4
    host.counters.counts.add('a "quoted" word', 3)
    async with serve(host) as listener:
        await call(listener.port, "GET", "/level")
        await call(listener.port, "GET", "/nowhere")
        answer = await call(listener.port, "GET", "/metrics")
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        families = {family.name: family for family in text_string_to_metric_families(answer.body.decode())}

    def value(name: str, **labels: str) -> float:
        family = families.get(name.removesuffix("_total")) or families[name]
        found = [one.value for one in family.samples if one.name == name and labels.items() <= one.labels.items()]
        assert len(found) == 1, (name, labels, found)
        return found[0]

    assert value("junctor_messages_total", service='la"b', outcome="done") == 7
    assert value("junctor_handler_seconds_total", service='la"b') == 2.5
    assert value("junctor_queue_messages", service='la"b') == 4
    assert value("junctor_service_counts_total", service='la"b', what='a "quoted" word') == 3
    assert value("junctor_calls_total", service='la"b') == 1
    assert value("junctor_service_state", state="running") == 1
    assert value("junctor_service_state", state="failed") == 0
    assert value("junctor_http_requests_total", method="GET", status="2xx") == 1
    assert value("junctor_http_requests_total", method="GET", status="4xx") == 1
    assert value("junctor_event_loop_lag_seconds") == 0.002
    assert value("junctor_node_info") == 1


# The index ------------------------------------------------------------------------------------------------------


async def test_the_index_lists_what_runs(serve: Any) -> None:
    async with serve(SmallHost(Pump())) as listener:
        answer = await call(listener.port, "GET", "/")
        assert answer.json["services"][0] == {
            "service": "test/lab",
            "state": "running",
            "doc": "Moves water.",
            "entries": [
                {"method": "GET", "path": "/level", "doc": "The level <now>."},
                {"method": "POST", "path": "/lab/stop", "doc": ""},
            ],
        }
        page = await call(listener.port, "GET", "/", headers={"accept": "text/html,*/*"})
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert b'<a href="/level">' in page.body and b"The level &lt;now&gt;." in page.body


async def test_a_service_may_have_the_root(serve: Any) -> None:
    class Own:
        @route("GET", "/")
        async def home(self) -> Response:
            return html("mine")

    async with serve(SmallHost(Own())) as listener:
        assert (await call(listener.port, "GET", "/")).body == b"mine"


# Who may ask ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:8080", 200),
        ("127.0.0.1:1", 200),
        ("127.8.8.8", 200),
        ("[::1]:8080", 200),
        ("app.localhost", 200),
        ("evil.example", 421),
        ("evil.example:8080", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("192.168.1.2", 421),
        ("[::2]", 421),
        ("[", 421),
        ("localhost:80@evil.example", 421),
        ("localhost:80:80", 421),
        ("localhost/evil.example", 421),
        ("[::1]evil.example", 421),
        ("[::1]:80@evil.example", 421),
        ("::1", 421),
        (" ", 421),
        ("\xff", 421),
    ],
)
async def test_a_loopback_listener_answers_to_names_of_this_machine(serve: Any, host: str, status: int) -> None:
    async with serve(SmallHost(Pump())) as listener:
        for _ in range(2):
            answer = await call(listener.port, "GET", "/level", headers={"host": host})
            assert answer.status == status
            assert status == 200 or answer.code == "host"


async def test_without_or_with_two_hosts(serve: Any) -> None:
    async with serve(SmallHost(Pump())) as listener:
        assert (await raw(listener.port, b"GET /level HTTP/1.1\r\n\r\n")).status in (400, 421)
        two = b"GET /level HTTP/1.1\r\nhost: localhost\r\nhost: evil\r\n\r\n"
        assert (await raw(listener.port, two)).status == 400


async def test_named_hosts_are_accepted(serve: Any) -> None:
    guard = Guard(loopback=True, hosts=("Plant.example",))
    async with serve(SmallHost(Pump()), guard=guard) as listener:
        assert (await call(listener.port, "GET", "/level", headers={"host": "plant.example"})).status == 200
        assert (await call(listener.port, "GET", "/level", headers={"host": "other.example"})).status == 421
    async with serve(SmallHost(Pump()), guard=Guard(loopback=False)) as listener:
        assert (await call(listener.port, "GET", "/level", headers={"host": "any.example"})).status == 200


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"sec-fetch-site": "same-origin", "origin": "http://localhost:1"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "same-site", "origin": "http://localhost:2"}, False),
        ({"origin": "http://localhost:1", "host": "localhost:1"}, True),
        ({"origin": "http://localhost:2", "host": "localhost:1"}, False),
        ({"origin": "https://evil.example"}, False),
        ({"origin": "null"}, False),
        ({"origin": "http://[", "host": "localhost"}, False),
        ({"sec-fetch-site": "cross-site", "origin": "https://plant.example"}, True),
    ],
)
async def test_pages_of_other_sites_may_not_change_anything(serve: Any, headers: dict[str, str], allowed: bool) -> None:
    host = SmallHost(Pump())
    settings = HttpSettings(cors=Cors(origins=("https://plant.example",)))
    async with serve(host, settings=settings) as listener:
        answer = await call(listener.port, "POST", "/lab/stop", headers=headers)
        assert answer.status == (204 if allowed else 403)
        assert len(host.hops) == int(allowed)
        assert (await call(listener.port, "GET", "/level", headers=headers)).status == 200


# Paths a service may not take -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "said"),
    [
        ("GET", "/health/live", "reserved"),
        ("GET", "/health/mine", "reserved"),
        ("POST", "/metrics", "reserved"),
        ("GET", "/docs", "reserved"),
        ("GET", "/openapi.json", "reserved"),
        ("GET", "/-/x", "reserved"),
        ("GET", "level", "is not a path"),
        ("GET", "/a b", "is not a path"),
        ("GET", "/a?b", "is not a path"),
        ("GET", "/{a}x", "neither a fixed segment nor a parameter"),
        ("GET", "/{a:path}/x", "must come last"),
        ("GET", "/{other}", "no such parameter"),
        ("BREW", "/pot", "not a method"),
    ],
)
def test_a_wrong_path_is_refused_at_registration(method: str, path: str, said: str) -> None:
    class Wrong:
        @route(method, path)
        async def it(self, a: str = "") -> None: ...

    with pytest.raises(ConfigurationError, match=said):
        Site().attach(SmallHost(Wrong()))


def test_a_service_may_not_be_called_like_a_part_of_the_node() -> None:
    with pytest.raises(ConfigurationError, match="reserved"):
        Site().attach(SmallHost(Pump(), "health"))


def test_a_clash_names_both_and_opens_nothing() -> None:
    class Same:
        @route("GET", "/free")
        async def free(self) -> None: ...

        @route("GET", "/level")
        async def other(self) -> None: ...

    site = Site()
    first, second = SmallHost(Pump()), SmallHost(Same(), "same", "plant")
    site.attach(first)
    with pytest.raises(ConfigurationError, match=r"test/lab\.level.*plant/same\.other"):
        site.attach(second)
    assert [one.path for one in site.routes] == ["/level", "/lab/stop"]
    site.attach(second, HttpSettings(path="/plant"))
    assert "/plant/level" in [one.path for one in site.routes]
    site.detach(second)
    site.detach(first)
    site.attach(second)
    assert [one.path for one in site.routes] == ["/free", "/level"]


def test_paths_that_differ_only_in_their_names_clash() -> None:
    class Two:
        @route("GET", "/a/{x}")
        async def one(self, x: str) -> None: ...

        @route("GET", "/a/{y}")
        async def other(self, y: str) -> None: ...

    with pytest.raises(ConfigurationError, match="wanted by"):
        Site().attach(SmallHost(Two()))


def bad_signatures() -> list[tuple[Any, str]]:
    async def from_body(self: Any, reading: dict[str, int]) -> None: ...
    async def positional(self: Any, a: int, /) -> None: ...
    async def unknown(self: Any, a: NoSuch) -> None: ...  # type: ignore[name-defined]  # noqa: F821
    async def custom(self: Any, a: SmallHost) -> None: ...

    return [
        (from_body, "a GET request has not"),
        (positional, "positional only"),
        (unknown, "cannot be resolved"),
        (custom, "cannot be read from a request"),
    ]


@pytest.mark.parametrize(("function", "said"), bad_signatures(), ids=lambda value: getattr(value, "__name__", ""))
def test_a_signature_that_no_request_can_fill(function: Any, said: str) -> None:
    service = type("Wrong", (), {"it": route("GET", "/x")(function)})()
    with pytest.raises(ConfigurationError, match=said) as caught:
        Site().attach(SmallHost(service))
    assert "test/lab.it" in str(caught.value)
