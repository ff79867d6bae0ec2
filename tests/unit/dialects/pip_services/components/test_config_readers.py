"""Configurations: templates, files, what is said when one cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from junctor.dialects.pip_services.commons.config import ConfigParams
from junctor.dialects.pip_services.commons.errors import ConfigException, FileException
from junctor.dialects.pip_services.components.config import (
    JsonConfigReader,
    MemoryConfigReader,
    MustacheException,
    MustacheTemplate,
    YamlConfigReader,
)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{A}} {{ a }} {{b.c}}|{{NONE}}|", "1 1 2||"),
        ("{{#if A}}y{{/if}}{{#unless A}}n{{/unless}}", "y"),
        ("{{#if NONE}}y{{else}}n{{/if}}", "n"),
        ("{{#unless NONE}}n{{else}}y{{/unless}}", "n"),
        ("{{#A}}y{{/A}}{{^A}}n{{/A}}{{^NONE}}none{{/NONE}}", "ynone"),
        ("{{#if A}}{{#unless NONE}}in{{/unless}}{{/if}}", "in"),
        ("{{#if FALSE}}also false is text{{/if}}", "also false is text"),
        ("{{#if EMPTY}}y{{/if}}.", "."),
        ('"{{{QUOTE}}}"', r'"say \"x\" \\ y"'),
        ("a{{! of no interest }}b", "ab"),
        ("x: {y: {{A}}}", "x: {y: 1}"),
        ("x: {y: {z: 1}}", "x: {y: {z: 1}}"),
        ("{{A}}{{#unless A}}3000{{/unless}}", "1"),
    ],
)
def test_a_template_is_filled(template: str, text: str) -> None:
    values = {"A": 1, "B.C": "2", "FALSE": "false", "EMPTY": "", "QUOTE": 'say "x" \\ y'}
    assert MustacheTemplate(template).evaluate_with_variables(values) == text


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("a\n{{#if A}}\nb", r"line 2: the section of A is not closed: \{\{/if\}\} is missing"),
        ("a\n\n{{A", r"line 3: \{\{ is not closed"),
        ("{{/if}}", "line 1: .* closes nothing"),
        ("{{#if A}}\n{{#unless B}}\n{{/if}}", r"line 3: .* stands where \{\{/unless\}\} of line 2 is expected"),
        ("{{#each A}}{{/each}}", "line 1: .* is not understood"),
        ("{{> part}}", "line 1: .* is not understood"),
        ("{{}}", "line 1: .* is not understood"),
    ],
)
def test_a_template_that_cannot_be_read_names_its_line(template: str, told: str) -> None:
    with pytest.raises(MustacheException, match=told):
        MustacheTemplate(template)


def test_the_default_variables_of_a_template() -> None:
    made = MustacheTemplate()
    made.template = "{{NAME}}"
    made.default_variables = {"name": "x"}
    assert (made.evaluate(), made.template) == ("x", "{{NAME}}")


def test_files_are_templates(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("port: {{PORT}}{{#unless PORT}}3000{{/unless}}\nlist: [1, {a: b}]\n")
    (tmp_path / "a.json").write_text('{"port": "{{PORT}}"}')
    given = ConfigParams.from_tuples("port", 8080)
    assert YamlConfigReader.read_config(None, str(tmp_path / "a.yml"), given) == {
        "port": "8080",
        "list.0": "1",
        "list.1.a": "b",
    }
    reader = JsonConfigReader(str(tmp_path / "a.json"))
    reader.configure(ConfigParams.from_tuples("parameters.port", 1))
    assert reader.read_config_(None, None) == {"port": "1"}
    assert reader.read_config_(None, given) == {"port": "8080"}
    assert MemoryConfigReader(ConfigParams.from_tuples("a", "{{PORT}}")).read_config_(None, given) == {"a": "8080"}


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    path = str(tmp_path / "a.yml")
    with pytest.raises(ConfigException) as missing:
        YamlConfigReader.read_config(None, None)
    with pytest.raises(FileException, match="Config file was not found at .*a.yml") as absent:
        YamlConfigReader.read_config("cid", path)
    Path(path).write_text("a: {{#if B}}")
    with pytest.raises(FileException, match=r"Failed reading configuration .*a.yml: line 1: the section") as template:
        YamlConfigReader.read_config(None, path)
    Path(path).write_text("a: [")
    with pytest.raises(FileException, match="Failed reading configuration") as broken:
        YamlConfigReader.read_config(None, path)
    found = [caught.value.code for caught in (missing, absent, template, broken)]
    assert found == ["NO_PATH", "FILE_NOT_FOUND", "READ_FAILED", "READ_FAILED"]
    assert absent.value.correlation_id == "cid"


def test_each_line_of_a_filled_template_knows_where_it_comes_from() -> None:
    template = MustacheTemplate("a\n{{#if NONE}}\nb\n{{/if}}\nc: {{V}}\nd {{! x\ny }} e\r\nf{{V}}")
    made = template.render({"V": "1\n2"})
    lines = made.text.split("\n")
    assert [(line, made.line(number)) for number, line in enumerate(lines, 1)] == [
        ("a", 1),
        ("", 4),
        ("c: 1", 5),
        ("2", 5),
        ("d  e\r", 6),
        ("f1", 8),
        ("2", 8),
    ]
    assert (made.line(0), made.line(99)) == (1, 8)
    assert MustacheTemplate("").render({}).line(1) == 1


@pytest.mark.parametrize(
    ("name", "text", "line", "what"),
    [
        ("a.yml", "- a: 1\n{{#if NONE}}\n- b\n- c\n{{/if}}\n- d: e: f\n", 6, "this is no YAML: mapping values"),
        ("a.yml", "- a: 1\n- b: {{LONG}}\n- d: [\n", 4, "this is no YAML"),
        ("a.yml", "- a: 1\n{{#if NONE}}\n", 2, "the section of NONE is not closed"),
        ("a.json", '[{{#if NONE}}\n1,\n2,\n{{/if}}\n"{{QUOTE}}",\n]', 6, "this is no JSON"),
    ],
)
def test_an_error_of_a_file_names_the_line_that_people_see(
    tmp_path: Path, name: str, text: str, line: int, what: str
) -> None:
    path = tmp_path / name
    path.write_text(text)
    reader = JsonConfigReader if name.endswith("json") else YamlConfigReader
    given = ConfigParams.from_tuples("LONG", "|\n    1\n    2\n    3", "QUOTE", "x")
    with pytest.raises(FileException) as caught:
        reader.read_config(None, str(path), given)
    assert str(caught.value).startswith(f"Failed reading configuration {path}: line {line}: {what}")
    assert caught.value.details == {"path": str(path), "line": str(line)}


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b'\xef\xbb\xbf{"a": 1}')
    assert JsonConfigReader.read_config(None, str(tmp_path / "a.json")) == {"a": "1"}
