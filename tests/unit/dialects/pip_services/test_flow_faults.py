"""A container in a flow: its faults are told once, by the node, and remarks on its configuration by the flow."""

from __future__ import annotations

import types
from pathlib import Path
from typing import Any, cast

import pytest

from junctor.core.port import Port
from junctor.dialects.pip_services.commons.refer import Descriptor
from junctor.dialects.pip_services.components.build import Factory
from junctor.dialects.pip_services.container import ProcessContainer
from junctor.dialects.pip_services.dialect import DIALECT
from junctor.dialects.pip_services.hosting.hosted import Hosted
from junctor.errors import ConfigurationError
from junctor.flows.check.check import check_models


class Database:
    def open(self, correlation_id: str | None) -> None:
        raise OSError("no database")

    def close(self, correlation_id: str | None) -> None:
        """Never opened."""


class ShopFactory(Factory):
    def __init__(self) -> None:
        super().__init__()
        self.register_as_type(Descriptor("shop", "database", "*", "*", "1.0"), Database)


class Shop(ProcessContainer):
    def __init__(self) -> None:
        super().__init__("shop")
        self._config_path = "./config.yml"
        self._factories.add(ShopFactory())


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    made = types.ModuleType(__name__)
    made.Shop = Shop  # type: ignore[attr-defined]

    def write(text: str) -> types.ModuleType:
        (tmp_path / "config.yml").write_text(text)
        return made

    return write


def test_what_keeps_a_container_from_opening_is_told_once(module: Any, capsys: pytest.CaptureFixture[str]) -> None:
    module("- descriptor: shop:database:default:default:1.0\n")
    container = Shop()
    container.read_config()
    hosted, no_port = Hosted(container), cast("Port", None)
    with pytest.raises(OSError, match="no database"):
        hosted.open(no_port)
    assert capsys.readouterr().err == "", "the node that starts it again tells it"
    told: list[Exception] = []
    Hosted(container, told.append).open(no_port)
    assert [str(error) for error in told] == ["no database"]
    with pytest.raises(OSError, match="no database"):
        container.open(None)
    assert capsys.readouterr().err.count("no database") == 2, "nobody else does"


def test_remarks_on_a_configuration_are_notes_of_the_flow(module: Any, capsys: pytest.CaptureFixture[str]) -> None:
    text = "# the log\n- descriptor: pip-services:logger:console:default:1.0\n  levle: trace\n"
    flow = DIALECT.flow(module(text))
    assert flow is not None
    report, _ = check_models([flow])
    told = 'pip-services:logger:console:default:1.0 does not know "levle"; it knows "level"'
    assert [(each.level, each.file, each.line, each.what) for each in report.findings if each.level == "note"] == [
        ("note", "./config.yml", 3, told)
    ]
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("# one\n\n- descriptor: shop:databse:default:default:1.0\n", "./config.yml:3"),
        ("# one\n- descriptor: a: b\n", "./config.yml:2"),
        ("# one\n- descriptr: a\n", "./config.yml:2"),
        ("# one\n\n\n{{#if A}}\n", "./config.yml:4"),
    ],
)
def test_the_place_of_an_error_is_the_line_of_the_configuration(module: Any, text: str, where: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        DIALECT.flow(module(text))
    assert caught.value.where == where
