"""Classes of answers by the names of their types; folders of namespaces; the package that stands in the way."""

from __future__ import annotations

import importlib
import io
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from junctor.dialects.iop import Message
from junctor.dialects.iop.cli.main import main
from junctor.dialects.iop.definition import ProductionDefinition
from junctor.dialects.iop.director.afar import known_class, received
from junctor.dialects.iop.director.alone import FolderTaken, refuse_second
from junctor.dialects.iop.director.background import Beginning
from junctor.dialects.iop.director.place import Life, Namespace, NoProduction
from junctor.dialects.iop.migration import Registry
from junctor.errors import ConfigurationError, DecodeError, JunctorError
from junctor.messages import type_name


@dataclass
class Known(Message):
    number: int = 0


def test_an_imported_class_is_found_by_its_name() -> None:
    assert known_class(type_name(Known)) is Known
    assert received(type_name(Known), b'{"number": 4}') == Known(4)
    assert known_class("nowhere.Known") is None
    assert received("", b'["a", null]') == ["a", None] and received("", b"null") is None


def test_a_name_with_a_folder_means_the_class_from_there() -> None:
    here = Path(__file__).resolve().parent
    assert known_class(f"{type_name(Known)}@{here}") is Known
    assert known_class(f"{type_name(Known)}@/elsewhere") is None


def test_what_cannot_be_read_is_told() -> None:
    with pytest.raises((DecodeError, JunctorError)):
        received(type_name(Known), b"[1]")


def test_each_namespace_has_folders_of_its_own(tmp_path: Path) -> None:
    user, second = Namespace("user", tmp_path), Namespace("second", tmp_path)
    assert user.directory("Demo.Production") == tmp_path / "demo-production"
    assert second.directory("Demo.Production") == tmp_path / "second-demo-production"
    user.directory("Demo.Production").mkdir()
    Life("Demo.Production", "OTHER", 1, 2.0).write(user.directory("Demo.Production"))
    assert user.life("Demo.Production") == Life("Demo.Production", "USER")
    assert user.running() == ""
    with pytest.raises(NoProduction, match="no production name provided"):
        user.meant()
    with pytest.raises(NoProduction, match="iop --migrate FILE"):
        user.client()


@pytest.fixture
def genuine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that has it."""
    (tmp_path / "iris_pex_embedded_python-4.1.1.dist-info").mkdir()
    metadata = "Metadata-Version: 2.1\nName: iris-pex-embedded-python\nVersion: 4.1.1\n"
    (tmp_path / "iris_pex_embedded_python-4.1.1.dist-info" / "METADATA").write_text(metadata)
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.mark.usefixtures("genuine")
@pytest.mark.parametrize("module", ["iop", "grongier.pex"])
def test_the_genuine_package_beside_it_is_refused(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, module, raising=False)
    with pytest.raises(ConfigurationError, match="Run: pip uninstall iris-pex-embedded-python"):
        importlib.import_module(module)


@pytest.mark.usefixtures("genuine")
def test_the_command_refuses_it_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 1
    assert "Run: pip uninstall iris-pex-embedded-python" in capsys.readouterr().err


def test_a_folder_with_the_messages_of_another_production_is_not_taken_over(tmp_path: Path) -> None:
    place = Namespace("user", tmp_path)
    with Registry.change("USER", tmp_path) as registry:
        registry.productions |= {name: ProductionDefinition(name=name) for name in ("Demo.A", "Demo-A")}
    place.directory("Demo.A").mkdir()
    Life("Demo.A", "USER", 1, 2.0, 3.0).write(place.directory("Demo.A"))
    with pytest.raises(FolderTaken, match=r"production Demo-A cannot start: .* messages of Demo\.A"):
        refuse_second(place, "Demo-A")
    refuse_second(place, "Demo.A")
    with Registry.change("USER", tmp_path) as registry:
        del registry.productions["Demo.A"]
    refuse_second(place, "Demo-A")  # it was renamed


def test_what_a_production_beside_the_terminal_says_has_an_end() -> None:
    out = io.StringIO()
    stream = Beginning(out, 5)
    assert [stream.write(text) for text in ("abc", "def", "g")] == [3, 3, 1]
    stream.flush()
    assert out.getvalue() == "abcde"
