"""The file of a container: where it is, how it is written, what the command line says."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from junctor.dialects.pip_services.commons.config import ConfigParams
from junctor.dialects.pip_services.commons.errors import ConfigException, FileException
from junctor.dialects.pip_services.container import ProcessContainer
from junctor.dialects.pip_services.container.command_line import read_command_line
from junctor.dialects.pip_services.container.config import ContainerConfigReader
from junctor.dialects.pip_services.container.config.indentation import reindented, shown

UNINDENTED = """\
---
# Console logger
- descriptor: "pip-services:logger:console:default:1.0"
level: "trace"

- descriptor: "pip-services:counters:log:default:1.0"
# Endpoint
- descriptor: "pip-services:endpoint:http:default:1.0"
connection:
  protocol: http
  # the port
  port: 8080
- descriptor: "my:part:default:default:1.0"
  indented: yes
  below:
    deep: 1
left: 2
"""


def test_keys_that_are_not_indented_belong_to_the_component_above(tmp_path: Path) -> None:
    (tmp_path / "config.yml").write_text(UNINDENTED)
    found = ContainerConfigReader.read_from_file(None, str(tmp_path / "config.yml"))
    assert [one.config for one in found] == [
        {"descriptor": "pip-services:logger:console:default:1.0", "level": "trace"},
        {"descriptor": "pip-services:counters:log:default:1.0"},
        {
            "descriptor": "pip-services:endpoint:http:default:1.0",
            "connection.protocol": "http",
            "connection.port": "8080",
        },
        {"descriptor": "my:part:default:default:1.0", "indented": "True", "below.deep": "1", "left": "2"},
    ]
    [note] = found.notes
    assert "config.yml, lines 4, 9-10, 12, 17:" in note


def test_a_file_that_is_yaml_is_read_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text('- descriptor: "a:b:c:d:1.0"\n  x: 1\n')
    assert ContainerConfigReader.read_from_file(None, str(path)).notes == []
    path.write_text('- descriptor: "a:b:c:d:1.0\n  x: 1\n')
    with pytest.raises(FileException, match="Failed reading configuration"):
        ContainerConfigReader.read_from_file(None, str(path))


def test_lists_and_parts_of_other_lists_stay_where_they_are() -> None:
    text = textwrap.dedent(
        """\
        - descriptor: a
          list:
            - one
            - two
        other:
          - three
        """
    )
    made, lines = reindented(text)
    assert lines == [5, 6]
    assert made.splitlines()[:4] == text.splitlines()[:4]
    assert made.splitlines()[4:] == ["  other:", "    - three"]
    assert shown([1, 2, 3, 7, 9, 10]) == "1-3, 7, 9-10"


def test_json_and_no_path(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('[{"descriptor": "a:b:c:d:{{V}}"}]')
    found = ContainerConfigReader.read_from_file(
        None, str(tmp_path / "config.json"), ConfigParams.from_tuples("V", "2.0")
    )
    assert str(found[0].descriptor) == "a:b:c:d:2.0"
    with pytest.raises(ConfigException) as caught:
        ContainerConfigReader.read_from_file(None, "")
    assert caught.value.code == "NO_PATH"


def in_folder(folder: Path, monkeypatch: pytest.MonkeyPatch, *, named: str, there: str) -> ProcessContainer:
    monkeypatch.chdir(folder)
    (folder / there).parent.mkdir(exist_ok=True)
    (folder / there).write_text('- descriptor: "a:b:c:{{NAME}}:1.0"\n')
    made = ProcessContainer("shop")
    made._config_path = named
    return made


@pytest.mark.parametrize(
    ("named", "there"),
    [("./config.yaml", "config.yml"), ("config.yml", "config.yaml"), ("./config.yaml", "config/config.yml")],
)
def test_a_file_with_the_other_ending_is_taken_with_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], named: str, there: str
) -> None:
    in_folder(tmp_path, monkeypatch, named=named, there=there).read_config()
    assert f"There is no config file at {named}; {there} is read." in capsys.readouterr().err


def test_the_named_file_is_taken_without_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = in_folder(tmp_path, monkeypatch, named="./config.yml", there="config.yml")
    monkeypatch.setenv("NAME", "of-the-environment")
    made.read_config(read_command_line(["-p", "NAME=of-the-command"]))
    assert str(made._config[0].descriptor) == "a:b:c:of-the-environment:1.0"
    monkeypatch.delenv("NAME")
    made.read_config(read_command_line(["-p", "NAME=of-the-command"]))
    assert str(made._config[0].descriptor) == "a:b:c:of-the-command:1.0"
    assert capsys.readouterr() == ("", "")
    with pytest.raises(FileException, match=r"was not found at other\.yml"):
        made.read_config(read_command_line(["-c", "other.yml"]))


def test_the_command_line() -> None:
    line = read_command_line(["-c", "a.yml", "-p", "A=1;B=2", "--param", "C=-3", "--params=D=4", "own"])
    assert (line.config, line.help) == ("a.yml", False)
    assert line.parameters == {"A": "1", "B": "2", "C": "-3", "D": "4"}
    assert read_command_line(["--config=b.yml"]).config == "b.yml"
    assert read_command_line(["-h"]).help and not read_command_line([]).help


def test_help_starts_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    ProcessContainer("shop").run(["--help"])
    assert "run [-h] [-c <config file>] [-p <param>=<value>]*" in capsys.readouterr().out
