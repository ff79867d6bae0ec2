"""A container while its node runs: its flow is loaded again, changed, and its container started again."""

from __future__ import annotations

import asyncio
import http.client
import json
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from junctor import Flow
from junctor.dialects.pip_services.commons.config import ConfigParams
from junctor.dialects.pip_services.commons.refer import Descriptor
from junctor.dialects.pip_services.components.build import Factory
from junctor.dialects.pip_services.container import ProcessContainer
from junctor.dialects.pip_services.dialect import DIALECT
from junctor.dialects.pip_services.hosting.flow import flow_of
from junctor.dialects.pip_services.hosting.hosted import Hosted
from junctor.dialects.pip_services.rpc.build import DefaultRpcFactory
from junctor.flows import FlowModel, wire
from junctor.flows.check.check import check_models
from junctor.flows.comparison import compare

MAY_CLOSE = threading.Event()


class Greeter:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._name = ""

    def configure(self, config: ConfigParams) -> None:
        self._name = config.get_as_string("name")

    def open(self, correlation_id: str | None) -> None:
        """Nothing to do."""

    def is_open(self) -> bool:
        return True

    def close(self, correlation_id: str | None) -> None:
        MAY_CLOSE.wait(20)

    def greeting(self) -> str:
        return f"Hello, {self._name}"


class Other(Greeter):
    """Another class with the same methods."""


class Shop(ProcessContainer):
    made: type[Greeter] = Greeter

    def __init__(self) -> None:
        super().__init__("shop")
        factory = Factory()
        factory.register_as_type(Descriptor("shop", "controller", "*", "*", "1.0"), self.made)
        self.add_factory(factory)
        self.add_factory(DefaultRpcFactory())


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    MAY_CLOSE.set()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").mkdir()
    write("World")
    return tmp_path


def write(name: str) -> None:
    rows: list[dict[str, Any]] = [
        {"descriptor": "shop:controller:default:default:1.0", "name": name},
        {"descriptor": "pip-services:endpoint:http:default:1.0", "connection": {"host": "127.0.0.1", "port": 0}},
        {"descriptor": "pip-services:heartbeat-service:http:default:1.0"},
    ]
    Path("config/config.yml").write_text(json.dumps(rows))


def loaded() -> Any:
    container = Shop()
    container.read_config()
    return wire(flow_of(Hosted(container)))


def kinds(before: Any, after: Any) -> set[str]:
    return {service.kind for service in compare(before, after).services}


def test_what_is_the_same_is_not_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    first = loaded()
    assert kinds(first, loaded()) == {"same"}
    write("Ann")
    assert kinds(first, loaded()) == {"changed"}
    write("World")
    monkeypatch.setattr(Shop, "made", Other)
    assert kinds(first, loaded()) == {"changed"}


def test_the_file_of_a_container_is_looked_at(place: Path) -> None:
    assert loaded().plan.services[0].spec.reads == (str(place / "config" / "config.yml"),)
    assert DIALECT.spec(Shop, "shop", settings={}, places=None).reads == (str(place / "config" / "config.yml"),)


def test_two_containers_of_one_listener_are_told_once() -> None:
    def flow(name: str, path: str = "") -> FlowModel:
        return FlowModel(name, http={"path": path}).add(Shop, name)

    report, _ = check_models([flow("one").add(Shop, "two")])
    [error] = [one for one in report.findings if one.level == "error"]
    assert error.what == "all that is asked of the listener is wanted by one/one and by one/two"
    assert "`http: {path: /two}`" in (error.fix or "")
    report, _ = check_models([flow("one"), flow("two", "/two")])
    assert not [one for one in report.findings if one.level == "error"]


async def asked(node: Any) -> Any:
    return await node.target("shop-controller", Any, Any).request(None, timeout=10)


async def test_a_container_that_is_replaced_is_closed_before_the_new_one_opens() -> None:
    async with Flow.of(loaded().model).running(transport="memory", http=True) as node:
        assert await asked(node) == "Hello, World"
        write("Ann")
        MAY_CLOSE.clear()
        change = asyncio.create_task(node.apply([loaded()], who="test"))
        asyncio.get_running_loop().call_later(0.2, MAY_CLOSE.set)
        await change
        assert await asked(node) == "Hello, Ann"


async def test_two_of_one_place_have_one_turn() -> None:
    async with Flow.of(loaded().model).running(transport="memory", http=True) as node:
        old = node.engine.hosts["shop/container"].slots[0].instance.hosted
        write("Ann")
        await node.apply([loaded()], who="test")
        new = node.engine.hosts["shop/container"].slots[0].instance.hosted
        assert old is not new and old.turn is new.turn


async def test_a_request_waits_for_a_container_that_starts_again() -> None:
    def heartbeat(url: str) -> int:
        with closing(http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)) as client:
            client.request("GET", "/heartbeat")
            with client.getresponse() as answer:
                return answer.status

    async with Flow.of(loaded().model).running(transport="memory", http=True) as node:
        for _ in range(80):  # so often that it is called on the event loop
            assert await asyncio.to_thread(heartbeat, node.url) == 200
        MAY_CLOSE.clear()
        restart = asyncio.create_task(node.engine.hosts["shop/container"].restart(5.0))
        asyncio.get_running_loop().call_later(0.3, MAY_CLOSE.set)
        answers = await asyncio.gather(*(asyncio.to_thread(heartbeat, node.url) for _ in range(4)))
        await restart
        assert answers == [200] * 4
