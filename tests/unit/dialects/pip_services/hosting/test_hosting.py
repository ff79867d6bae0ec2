"""A container in a node: its components as services, and calls between them and services of other systems."""

from __future__ import annotations

import asyncio
import json
import types
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from junctor import Flow, Service, handler
from junctor.core.records import Query
from junctor.dialects.iop.components import BusinessOperation
from junctor.dialects.iop.messages import Message
from junctor.dialects.pip_services.commons.commands import Command, CommandSet
from junctor.dialects.pip_services.commons.config import ConfigParams
from junctor.dialects.pip_services.commons.data import DataPage
from junctor.dialects.pip_services.commons.errors import InvalidStateException
from junctor.dialects.pip_services.commons.refer import Descriptor, IReferences
from junctor.dialects.pip_services.components.build import Factory
from junctor.dialects.pip_services.components.log import ConsoleLogger
from junctor.dialects.pip_services.container import Container, ProcessContainer
from junctor.dialects.pip_services.dialect import DIALECT
from junctor.dialects.pip_services.hosting.calls import arguments
from junctor.dialects.pip_services.hosting.flow import flow_of
from junctor.dialects.pip_services.hosting.hosted import Hosted
from junctor.dialects.pip_services.hosting.names import component_name, distinct
from junctor.dialects.pip_services.rpc.build import DefaultRpcFactory
from junctor.dialects.pip_services.rpc.services import RestService
from junctor.errors import ConfigurationError
from junctor.flows import FlowModel, wire
from junctor.flows.files.written import flow_yaml
from junctor.messages import Status
from junctor.node.node import Node

EVENTS: list[str] = []


@pytest.fixture(autouse=True)
def nothing_has_happened() -> None:
    EVENTS.clear()


class Greeter:
    """Greets people."""

    def __init__(self) -> None:
        EVENTS.append("made")
        self._default = "Pip User"
        self._native: Any = None
        self._iop: Any = None

    def configure(self, config: ConfigParams) -> None:
        self._default = config.get_as_string_with_default("default_name", self._default)

    def set_references(self, references: IReferences) -> None:
        self._native = references.get_one_optional(Descriptor("junctor", "client", "*", "native", "*"))
        self._iop = references.get_one_optional(Descriptor("junctor", "client", "*", "iop", "*"))

    def open(self, correlation_id: str | None) -> None:
        EVENTS.append(f"open {correlation_id}")

    def close(self, correlation_id: str | None) -> None:
        EVENTS.append("close")

    def greeting(self, name: str | None) -> str:
        return f"Hello, {name if name is not None else self._default} !"

    def loud(self, correlation_id: str, name: str) -> str:
        """Have others greet."""
        text = self._native.call_command("shout", correlation_id, {"text": name})
        greeted: str = self._iop.call_command("on_name", correlation_id, {"name": text})["name"]
        return greeted

    def page(self) -> DataPage:
        logger = ConsoleLogger()
        logger.info("cid", "reading")
        logger.error("cid", OSError("no disk"), "not all is there")
        return DataPage([{"id": "1"}], 1)

    def get_command_set(self) -> CommandSet:
        commands = CommandSet()
        commands.add_command(Command("twice", None, lambda cid, args: args.get_as_integer("n") * 2))
        return commands

    def _private(self) -> None: ...


class Rest(RestService):
    def __init__(self) -> None:
        super().__init__()
        self._base_route = "/hello_world"
        self._dependency_resolver.put("controller", Descriptor("shop", "controller", "*", "*", "1.0"))

    def set_references(self, references: IReferences) -> None:
        super().set_references(references)
        self._controller = self._dependency_resolver.get_one_required("controller")

    def register(self) -> None:
        self.register_route("get", "/greeting", None, self.greeting)
        self.register_route("get", "/loud", None, self.loud)

    def greeting(self, name: str | None) -> Any:
        return self.send_result(self._controller.greeting(name))

    def loud(self, name: str) -> Any:
        return self.send_result(self._controller.loud("x", name))


@dataclass
class Text:
    text: str


@dataclass
class Name(Message):
    name: str = ""


class Shouter(Service):
    @handler
    async def shout(self, said: Text) -> str:
        return said.text.upper()


class Asker(BusinessOperation):
    """Asks the controller of the container for whoever asks it."""

    def on_name(self, request: Name) -> Any:
        return Name(self.send_request_sync("shop-controller.greeting", request))


HTTP = {
    "descriptor": "pip-services:endpoint:http:default:1.0",
    "connection": {"protocol": "http", "host": "127.0.0.1", "port": 0},
}
CONTROLLER = {"descriptor": "shop:controller:default:default:1.0", "default_name": "World"}
REST = {"descriptor": "shop:service:http:default:1.0"}
CLIENTS = (
    {"descriptor": "junctor:client:default:native:1.0", "service": "shouter"},
    {"descriptor": "junctor:client:default:iop:1.0", "service": "Asker"},
)


def container(*components: Mapping[str, Any]) -> Container:
    made = Container("shop")
    factory = Factory()
    factory.register_as_type(Descriptor("shop", "controller", "*", "*", "1.0"), Greeter)
    factory.register_as_type(Descriptor("shop", "service", "http", "*", "1.0"), Rest)
    made.add_factory(factory)
    made.add_factory(DefaultRpcFactory())
    made.configure(ConfigParams.from_value(list(components)))
    return made


def flow(*components: Mapping[str, Any]) -> FlowModel:
    return flow_of(Hosted(container(*components)))


def running(model: FlowModel, **given: Any) -> Any:
    return Flow.of(model).running(**{"transport": "memory", **given})


async def fetch(url: str) -> tuple[Any, str]:
    """Body and session of a response."""

    def call() -> tuple[Any, str]:
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return json.loads(answer.read()), answer.headers["junctor-session"]
        except urllib.error.HTTPError as error:
            return error.code, ""

    return await asyncio.to_thread(call)


@pytest.mark.parametrize(
    ("locator", "name"),
    [
        ("hello-world:controller:default:default:1.0", "hello-world-controller"),
        ("pip-services:endpoint:http:default:1.0", "endpoint-http"),
        ("pip-services:context-info:default:default:1.0", "context-info"),
        ("beacons:persistence:memory:second:1.0", "beacons-persistence-memory-second"),
    ],
)
def test_a_service_is_named_after_the_descriptor(locator: str, name: str) -> None:
    assert component_name(Descriptor.from_string(locator)) == name


def test_names_that_are_one_are_numbered() -> None:
    assert distinct(["a", "b", "a", "a"], ["b"]) == ["a", "b-2", "a-2", "a-3"]


async def test_components_are_services_and_the_container_leads_their_life() -> None:
    async with running(flow(CONTROLLER, REST, HTTP), http=True) as node:
        names = [address for address in node.engine.hosts if address.startswith("shop/")]
        assert names == [
            *("shop/container", "shop/context-info", "shop/shop-controller"),
            *("shop/shop-service-http", "shop/endpoint-http"),
        ]
        assert EVENTS == ["made", "open shop"]
        assert (await fetch(f"{node.url}/hello_world/greeting?name=John"))[0] == "Hello, John !"
        assert (await fetch(f"{node.url}/"))[0] == 404, "the index of the node is not in the way"
    assert EVENTS[-1] == "close"


async def test_a_container_that_starts_again_has_new_components() -> None:
    async with running(flow(CONTROLLER, REST, HTTP), http=True) as node:
        await node.restart(node.engine.hosts["shop/container"])
        assert EVENTS == ["made", "open shop", "close", "made", "open shop"]
        assert (await fetch(f"{node.url}/hello_world/greeting"))[0] == "Hello, World !"


async def ask(node: Node, service: str, name: str, body: Any) -> Any:
    return await node.target(service, Any, Any, handler=name).request(body, timeout=10)


async def test_methods_and_commands_of_a_controller_are_handlers() -> None:
    async with running(flow(CONTROLLER)) as node:
        assert [one.name for one in node.engine.hosts["shop/shop-controller"].spec.handlers] == [
            "greeting",
            "loud",
            "page",
            "twice",
        ]
        assert await ask(node, "shop-controller", "greeting", {"name": "Ann"}) == "Hello, Ann !"
        assert await ask(node, "shop-controller", "greeting", "Ben") == "Hello, Ben !"
        assert await ask(node, "shop-controller", "greeting", None) == "Hello, World !"
        assert await ask(node, "shop-controller", "page", None) == {"data": [{"id": "1"}], "total": 1}
        assert await ask(node, "shop-controller", "twice", {"n": "4"}) == 8


async def test_what_a_component_logs_is_in_the_trace() -> None:
    async with running(flow(CONTROLLER)) as node:
        await ask(node, "shop-controller", "page", None)
        [record] = [one for one in node.archive.search(Query()) if one.message.target == "shop/shop-controller"]
        lines = [(line.line.level, line.line.text[-30:]) for line in node.archive.logs(record.message.session)]
    assert [level for level, _ in lines] == [20, 40]
    assert lines[0][1].endswith("] reading") and lines[1][1].endswith("not all is there: no disk")


@pytest.mark.parametrize("transport", ["memory", "sqlite"])
async def test_one_trace_through_three_systems(transport: str, short_dir: Path) -> None:
    model = flow(*CLIENTS, CONTROLLER, REST, HTTP).add(Shouter()).add(Asker, "asker")
    async with running(model, transport=transport, store=short_dir, http=True) as node:
        body, session = await fetch(f"{node.url}/hello_world/loud?name=John")
        assert body == "Hello, JOHN !"
        records = node.archive.session(int(session, 16))
        done = [record.message.target for record in records if record.status is Status.DONE]
        assert {"shop/endpoint-http", "shop/shouter", "shop/asker", "shop/shop-controller"} <= set(done)


async def test_a_client_without_a_node_and_one_without_a_service() -> None:
    made = container(CLIENTS[0])
    made.open(None)
    client = made.references.get_one_required(Descriptor("junctor", "client", "*", "*", "*"))  # type: ignore[union-attr]
    with pytest.raises(InvalidStateException, match="does not run in a node"):
        client.call_command("shout")
    made.close(None)
    async with running(flow(*CLIENTS, CONTROLLER, REST, HTTP), http=True) as node:
        assert (await fetch(f"{node.url}/hello_world/loud?name=John"))[0] == 500


async def test_a_container_that_does_not_open_is_supervised(caplog: pytest.LogCaptureFixture) -> None:
    class Failing(Greeter):
        def open(self, correlation_id: str | None) -> None:
            super().open(correlation_id)
            if EVENTS.count("open shop") < 2:
                raise OSError("no database")

    made = container(CONTROLLER)
    factory = Factory()
    factory.register_as_type(Descriptor("shop", "controller", "*", "*", "1.0"), Failing)
    made.add_factory(factory)
    async with running(flow_of(Hosted(made))) as node:
        assert await ask(node, "shop-controller", "greeting", "Ben") == "Hello, Ben !"
    assert "shop/container failed: OSError: no database; restart in" in caplog.text


async def test_a_component_that_ends_the_program_is_told_of_and_not_opened_again() -> None:
    class Ending(Greeter):
        def open(self, correlation_id: str | None) -> None:
            raise SystemExit(5)

        def close(self, correlation_id: str | None) -> None:
            """Never opened."""

        def is_open(self) -> bool:
            return False

    made = container(CONTROLLER)
    factory = Factory()
    factory.register_as_type(Descriptor("shop", "controller", "*", "*", "1.0"), Ending)
    made.add_factory(factory)
    errors: list[Exception] = []
    hosted = Hosted(made, errors.append)
    async with running(flow_of(hosted)):
        pass
    assert [str(error) for error in errors] == ["exit(5) (in open of shop:controller:default:default:1.0)"]


class Shop(ProcessContainer):
    def __init__(self) -> None:
        super().__init__("shop", "A shop")
        factory = Factory()
        factory.register_as_type(Descriptor("shop", "controller", "*", "*", "1.0"), Greeter)
        factory.register_as_type(Descriptor("shop", "service", "http", "*", "1.0"), Rest)
        self.add_factory(factory)
        self.add_factory(DefaultRpcFactory())


def test_a_file_with_a_container_is_its_flow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.yml").write_text(json.dumps([CONTROLLER]))
    module = types.ModuleType("shopping")
    assert DIALECT.flow(module) is None
    vars(module).update(ProcessContainer=ProcessContainer, Shop=Shop)
    model = DIALECT.flow(module)
    assert model is not None
    assert (model.name, [item.name for item in model.services]) == (
        "shop",
        ["container", "context-info", "shop-controller"],
    )


async def test_a_container_is_one_service_among_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.yml").write_text(json.dumps([CONTROLLER]))
    spec = DIALECT.spec(Shop, "shop", settings={}, places=None)
    async with running(FlowModel("plant").add(spec).add(Shouter())) as node:
        assert await ask(node, "shop", "greeting", "Ann") == "Hello, Ann !"
    assert DIALECT.default_name(Shop) == "shop" and DIALECT.component(Shop) is Shop
    with pytest.raises(ConfigurationError, match="no settings"):
        DIALECT.spec(Shop, "shop", settings={"a": 1}, places=None)


async def test_the_address_that_is_logged_is_that_of_the_flow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").mkdir()
    logger = {"descriptor": "pip-services:logger:console:default:1.0", "level": "debug"}
    elsewhere = {**HTTP, "connection": {"protocol": "http", "host": "127.0.0.1", "port": 8099}}
    (tmp_path / "config" / "config.yml").write_text(json.dumps([logger, CONTROLLER, REST, elsewhere]))
    model = FlowModel("plant", http={"path": "/hall"}).add(Shop, "shop")
    async with running(model, http=True) as node:
        assert (await fetch(f"{node.url}/hall/hello_world/greeting?name=Ann"))[0] == "Hello, Ann !"
    assert f"Opened REST service at {node.url}/hall\n" in capsys.readouterr().out


def test_a_container_is_written_as_one_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.yml").write_text(json.dumps([CONTROLLER, REST, HTTP]))
    module = types.ModuleType("shopping")
    vars(module).update(Shop=Shop)
    model = DIALECT.flow(module)
    assert model is not None
    written = yaml.safe_load(flow_yaml(wire(model)))
    [service] = written["services"].values()
    assert (written["flow"], list(written["services"]), written["http"]["port"]) == ("shop", ["shop"], 0)
    assert service["class"].endswith(":Shop")


def test_what_keeps_a_file_from_loading_is_an_error_of_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    module = types.ModuleType("shopping")
    vars(module).update(Shop=Shop)
    with pytest.raises(ConfigurationError, match="Config file was not found"):
        DIALECT.flow(module)
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.yml").write_text('- descriptor: "nobody:knows:this:one:1.0"')
    with pytest.raises(ConfigurationError, match="Cannot locate reference: nobody:knows:this:one:1.0"):
        DIALECT.flow(module)
    with pytest.raises(ConfigurationError, match="there is nothing called"):
        DIALECT.load("shop")


def test_the_line_of_the_program_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.yml").write_text(json.dumps([CONTROLLER]))
    monkeypatch.setattr(Greeter, "__init__", lambda self: {}["limit"])
    module = types.ModuleType("shopping")
    vars(module).update(Shop=Shop)
    with pytest.raises(ConfigurationError, match="KeyError: 'limit'") as caught:
        DIALECT.flow(module)
    assert "test_hosting.py:" in (caught.value.where or "")


def test_arguments_are_bound_by_name() -> None:
    def method(correlation_id: str, item: Any, *, limit: int = 3) -> None: ...

    assert arguments(method, {"item": 1}, "s") == {"correlation_id": "s", "item": 1}
    assert arguments(method, {"item": 1, "limit": 2, "correlation_id": "c"}, "s") == {
        "correlation_id": "c",
        "item": 1,
        "limit": 2,
    }
    assert arguments(method, {"other": 1}, "s") == {"correlation_id": "s", "item": {"other": 1}}
    assert arguments(method, None, "s") == {"correlation_id": "s", "item": None}
    assert arguments(lambda: None, {"x": 1}, "s") == {}
