"""Faults of a configuration are told with file, line and what is probably meant."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from junctor.dialects.pip_services.commons.config import ConfigParams
from junctor.dialects.pip_services.commons.config.misspelled import misspelled
from junctor.dialects.pip_services.commons.config.watched_params import WatchedParams
from junctor.dialects.pip_services.commons.errors import ConfigException
from junctor.dialects.pip_services.commons.refer import DependencyResolver, Descriptor, IReferences, ReferenceException
from junctor.dialects.pip_services.components.build import Factory
from junctor.dialects.pip_services.components.connect import ConnectionResolver
from junctor.dialects.pip_services.components.count import LogCounters
from junctor.dialects.pip_services.components.log import ConsoleLogger
from junctor.dialects.pip_services.container import ProcessContainer
from junctor.dialects.pip_services.data.persistence import IdentifiableFilePersistence
from junctor.dialects.pip_services.rpc.build import DefaultRpcFactory
from junctor.dialects.pip_services.rpc.clients import RestClient
from junctor.dialects.pip_services.rpc.services import CommandableHttpService, HttpEndpoint, RestService


class Greeter:
    def configure(self, config: ConfigParams) -> None:
        self.name = config.get_as_string_with_default("default_name", "you")
        self.seen = dict(config.get_section("words"))


class Needing:
    def set_references(self, references: IReferences) -> None:
        references.get_one_required(Descriptor("shop", "greter", "*", "*", "1.0"))


class ShopFactory(Factory):
    def __init__(self) -> None:
        super().__init__()
        self.register_as_type(Descriptor("shop", "greeter", "default", "*", "1.0"), Greeter)
        self.register_as_type(Descriptor("shop", "needing", "default", "*", "1.0"), Needing)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)

    def make(text: str) -> ProcessContainer:
        (tmp_path / "config.yml").write_text(dedent(text))
        made = ProcessContainer("shop")
        made._config_path = "./config.yml"
        made.add_factory(ShopFactory())
        made.read_config()
        return made

    return make


@pytest.mark.parametrize(
    ("descriptor", "told"),
    [
        ("shop:greter:default:default:1.0", "; the nearest known is shop:greeter:default:default:1.0"),
        ("shop:greeter:default:default:2.0", "; the nearest known is shop:greeter:default:default:1.0"),
        ("pip-services:loger:console:first:1.0", "; the nearest known is pip-services:logger:console:first:1.0"),
        (
            "pip-services:endpoint:http:default:1.0",
            "; DefaultRpcFactory of pip_services3_rpc.build does, after self._factories.add(DefaultRpcFactory())",
        ),
        (
            "pip-services:swagger-service:default:default:1.0",
            "; DefaultSwaggerFactory of pip_services3_swagger.build does, "
            "after self._factories.add(DefaultSwaggerFactory())",
        ),
        ("pip-services:endpoint:grpc:default:1.0", ""),
        ("other:thing:default:default:1.0", ""),
    ],
)
def test_an_unknown_descriptor_has_its_line_and_the_nearest_known_one(shop: Any, descriptor: str, told: str) -> None:
    known = "- descriptor: shop:greeter:default:default:1.0\n"
    container = shop("{{#if NONE}}\n- x\n{{/if}}\n" + known + f"- descriptor: {descriptor}\n")
    with pytest.raises(ReferenceException) as caught:
        container.compose(None)
    begin = f"Cannot locate reference: {descriptor}; no factory makes it"
    assert str(caught.value).startswith(f"{begin}{told} (./config.yml:5)")
    assert caught.value.details == {"locator": descriptor, "path": "./config.yml", "line": "5"}


def test_a_factory_that_is_there_is_not_recommended(shop: Any) -> None:
    container = shop("- descriptor: pip-services:endpoint:htpp:default:1.0\n")
    container.add_factory(DefaultRpcFactory())
    with pytest.raises(ReferenceException, match="nearest known is pip-services:endpoint:http:default:1.0"):
        container.compose(None)


def test_a_reference_that_is_missing_names_the_nearest_component(shop: Any, capsys: pytest.CaptureFixture[str]) -> None:
    container = shop(
        """\
        - descriptor: shop:greeter:default:tall:1.0
        - descriptor: shop:needing:default:default:1.0
        """
    )
    with pytest.raises(ReferenceException, match=r"shop:greter:\*:\*:1.0; the nearest known is shop:greeter:default:"):
        container.open(None)
    assert "(in link of shop:needing:default:default:1.0)" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["- x: 1\n", '- descriptor: "a:b"\n'])
def test_a_component_that_is_none_has_its_line(shop: Any, text: str) -> None:
    with pytest.raises(ConfigException, match=r"\(component 2\) \(\./config\.yml:2\)$"):
        shop(f"- descriptor: shop:greeter:default:default:1.0\n{text}")


def test_a_misspelled_key_is_told_with_its_line(shop: Any, capsys: pytest.CaptureFixture[str]) -> None:
    container = shop(
        """\
        {{#if NONE}}
        - descriptor: shop:other:default:default:1.0
        {{/if}}
        - descriptor: shop:greeter:default:default:1.0
          defualt-name: Ann
          words: {one: 1, 2: two}
          colour: red
        - descriptor: pip-services:logger:console:default:1.0
          levle: trace
        """
    )
    container.compose(None)
    assert container._notes == [
        './config.yml:5: shop:greeter:default:default:1.0 does not know "defualt-name"; it knows "default_name"',
        './config.yml:9: pip-services:logger:console:default:1.0 does not know "levle"; it knows "level"',
    ]
    assert [line.partition("] ")[2] for line in capsys.readouterr().err.splitlines()] == container._notes


def test_lines_of_json_and_of_keys_that_lead_back_to_themselves(
    shop: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    container = shop("- &a\n  descriptor: shop:greeter:default:default:1.0\n  words: {again: *a}\n  default: 1\n")
    (tmp_path / "c.json").write_text('[\n\t{"descriptor": "shop:greeter:default:default:1.0",\n "defaultName": 1}]')
    container.compose(None)
    container.read_config_from_file(None, str(tmp_path / "c.json"))
    container.close(None)
    container.compose(None)
    assert '"defaultName"; it knows "default_name"' in capsys.readouterr().err


def test_a_key_that_is_there_twice_is_told(shop: Any) -> None:
    text = (
        "- descriptor: shop:greeter:default:default:1.0\n  words: {one: 1}\n  default_name: a\n  words:\n    one: 2\n"
    )
    container = shop(text)
    assert container._notes == ['./config.yml:4: "words" stands here for the second time; only this one counts']
    assert str(container._config[0].config["words.one"]) == "2"


def watch(component: Any, **given: Any) -> dict[str, str]:
    config = ConfigParams.from_value(given)
    watched = WatchedParams(config)
    component.configure(watched)
    return misspelled(config, watched.asked)


@pytest.mark.parametrize(
    ("component", "given", "found"),
    [
        (HttpEndpoint(), {"connection": {"prot": 1}}, {"connection.prot": "connection.port"}),
        (HttpEndpoint(), {"conection": {"port": 1, "host": "a"}}, {"conection": "connection"}),
        (HttpEndpoint(), {"port": 8080}, {"port": "connection.port"}),
        (HttpEndpoint(), {"cors_origin": "a"}, {"cors_origin": "cors_origins"}),
        (HttpEndpoint(), {"options": {"file_max_size": 1, "debug": True}, "credential": {"ssl_key_file": "a"}}, {}),
        (HttpEndpoint(), {"connection": {"uri": "a", "discovery_key": "b"}}, {}),
        (RestService(), {"dependecies": {"controller": "a:b:c:d:e"}}, {"dependecies": "dependencies"}),
        (RestService(), {"dependencies": {"endpont": "a:b:c:d:e"}}, {"dependencies.endpont": "dependencies.endpoint"}),
        (RestService(), {"dependencies": {"controller": "a:b:c:d:e"}, "connection": {"port": 1}}, {}),
        (CommandableHttpService("a"), {"swagger": {"enable": True, "name": "a", "description": "b"}}, {}),
        (RestClient(), {"options": {"timeot": 1}}, {"options.timeot": "options.timeout"}),
        (RestClient(), {"connections": [{"host": "a"}]}, {}),
        (ConnectionResolver(), {"connection": {"any": "thing"}}, {}),
        (ConsoleLogger(), {"levle": 1, "colour": "red"}, {"levle": "level"}),
        (ConsoleLogger(), {"level": 1, "levels": 1}, {}),
        (LogCounters(), {"options": {"intervall": 1}}, {"options.intervall": "options.interval"}),
        (IdentifiableFilePersistence(), {"path": "a", "Path": "b"}, {}),
    ],
)
def test_a_key_is_misspelled_where_a_known_one_is_near_and_missing(
    component: Any, given: dict[str, Any], found: dict[str, str]
) -> None:
    assert watch(component, **given) == found


def test_watching_changes_nothing_for_the_component() -> None:
    config = ConfigParams.from_tuples("a", 1, "b.c", "x", "b.d.e", None, "list.0", "y")
    watched = WatchedParams(config)
    assert watched == config and str(watched) == str(config) and len(watched) == len(config)
    assert {**watched} == dict(watched) == watched.clone() == ConfigParams(watched) == config
    assert (list(watched), watched.get_section_names()) == (list(config), config.get_section_names())
    assert watched.get_section("b").get_section("d") == {"e": None}
    assert watched.override({"a": 2}).get_as_integer("a") == 2
    assert watched.set_defaults({"a": 2, "z": 3}) == {**config, "z": "3"}
    assert isinstance(watched.get_section("b"), ConfigParams)


def test_the_names_of_dependencies_are_known() -> None:
    resolver = DependencyResolver()
    resolver.put("controller", Descriptor("a", "b", "*", "*", "1.0"))
    assert watch(resolver, dependencies={"controler": "a:b:c:d:1.0"}) == {
        "dependencies.controler": "dependencies.controller"
    }
    assert watch(resolver, dependencies={"controller": "a:b:c:d:1.0", "persistence": "a:b:c:e:1.0"}) == {}
    resolver.set_references(_Found())
    assert str(resolver.get_one_required("persistence")) == "a:b:c:e:1.0"


class _Found(IReferences):
    def find(self, locator: Any, required: bool) -> list[Any]:
        return [locator]
