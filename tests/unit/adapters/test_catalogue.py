"""`junctor adapters`: what is installed, and all that somebody needs who puts one into a flow."""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import junctor.adapters
from junctor.adapters.catalogue import AdapterEntry, catalogue, entry_of
from junctor.cli.main import cli, main
from junctor.flows import Overrides, load
from junctor.flows.adapters import adapter
from junctor.flows.check.check import check
from junctor.settings.values import UNSET
from tests.unit.flows.conftest import Write, plant
from tests.unit.flows.distributions import install

__all__ = ("plant",)  # a fixture

MAIL = '''
    from typing import Any, Literal
    from junctor import handler, setting
    from junctor.adapters import Inbound, Outbound
    from junctor.settings import Duration

    class Mailbox(Inbound):
        """Letters as messages.

        Each is removed when its message is committed::

            post:
              adapter: mailbox
              settings: {folder: letters}
              connect: {out: reader}

        What is no letter stays.
        """
        folder: str = setting(min_length=1, doc="Where letters arrive")
        speed: Literal["slow", "fast"] | None = setting(None)
        width: int = setting(3, gt=2, lt=9, unit="cm")
        code: str = setting("a", pattern="[a-z]")
        patience: Duration = setting("5m", le=600)

        def poll(self) -> bool: return False

    class Postman(Outbound):
        """Carries letters."""
        extra = "van"
        needs = ("no_such_van",)
        number: float = setting()
        how: Literal["by-foot", "by-van"] = setting()
        every_day: Duration = setting()

        @handler
        def carry(self, body: Any) -> None:
            """Carry one.

            It takes a while."""
'''


@pytest.fixture(autouse=True)
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    names = {"mailbox": "mail_adapters:Mailbox", "postman": "mail_adapters:Postman"}
    folder = install(tmp_path / "site", "mail", "0.3", MAIL, names)
    monkeypatch.syspath_prepend(str(folder))
    return folder


def asked(*words: str) -> Result:
    return CliRunner().invoke(cli, ["adapters", *words], catch_exceptions=False)


def test_the_list_has_side_line_and_extra() -> None:
    lines = asked().output.splitlines()
    assert lines[0].split() == ["adapter", "side", "does", "extra"]
    (mailbox,) = (line for line in lines if line.startswith("mailbox"))
    assert mailbox.split() == ["mailbox", "in", "Letters", "as", "messages."]
    (postman,) = (line for line in lines if line.startswith("postman"))
    assert re.split(r"\s{2,}", postman) == ["postman", "out", "Carries letters.", "van (not installed)"]


def test_one_with_all_that_can_be_set() -> None:
    text = asked("mailbox").output
    rows = {line.split()[0]: re.split(r"\s{2,}", line) for line in text.splitlines() if line.strip()}
    assert rows["folder"] == ["folder", "str at least 1 long", "required", "Where letters arrive"]
    assert rows["speed"] == ["speed", "slow, fast or nothing"]
    assert rows["width"] == ["width", "int above 2 below 9 cm", "3"]
    assert rows["code"] == ["code", "str like [a-z]", '"a"']
    assert rows["patience"] == ["patience", "duration to 600 s", '"5m"']
    assert rows["interval"][1:3] == ["duration above 0 s", '"1s"']
    assert text.index("folder  ") < text.index("interval  "), "what must be given comes first"
    assert "target out sends Any" in text
    assert "Each is removed when its message is committed" in text
    assert "What is no letter stays." in text
    assert text.count("adapter: mailbox") == 1
    assert text.endswith(
        "in a flow file\n  services:\n    post:\n      adapter: mailbox\n"
        "      settings: {folder: letters}\n      connect: {out: reader}\n"
    )


def test_one_whose_extra_is_missing_says_what_to_install() -> None:
    text = asked("postman").output
    assert 'extra van: not installed: pip install "mail[van]"' in text
    assert "takes Any  Carry one.\n" in text


def test_a_flow_that_needs_what_is_missing_is_refused(plant: Write) -> None:
    plant("one.yaml", "services: {one: {adapter: postman, settings: {number: 1, how: by-van, every_day: 1s}}}")
    report, _ = check(["one.yaml"], Overrides())
    (found,) = report.findings
    assert (found.level, found.code, found.place) == ("error", "missing-extra", "one.yaml:1")
    assert found.what == "it needs the package no_such_van"
    assert found.fix == 'Install it: pip install "mail[van]".'
    assert main(["run", "one.yaml"]) == 78


def test_an_example_is_made_up_where_the_class_has_none() -> None:
    assert entry_of("postman").example == (
        "my-postman:\n  adapter: postman\n  settings: {number: 1, how: by-foot, every_day: 1s}"
    )


def test_json_has_one_or_all() -> None:
    one = json.loads(asked("mailbox", "--json").output)
    assert (one["name"], one["side"], one["code"]) == ("mailbox", "in", "mail_adapters:Mailbox")
    assert one["settings"][0] == {
        "name": "folder",
        "takes": "str at least 1 long",
        "required": True,
        "doc": "Where letters arrive",
    }
    assert {"mailbox", "postman", "file-in"} <= {each["name"] for each in json.loads(asked("--json").output)}


def test_a_wrong_name_gets_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["adapters", "mailbx"]) == 78
    assert 'there is no adapter "mailbx". Did you mean "mailbox"?' in capsys.readouterr().err


def test_one_that_cannot_be_loaded_stays_in_the_list(outside: Path) -> None:
    install(outside, "odd", "2", "import no_such_client", {"odd": "odd_adapters:Odd"})
    (odd,) = (one for one in catalogue() if one.name == "odd")
    assert "No module named 'no_such_client'" in odd.problem
    assert any(line.startswith("odd ") and "no_such_client" in line for line in asked().output.splitlines())


def test_names_are_completed() -> None:
    complete = {"_JUNCTOR_COMPLETE": "bash_complete", "COMP_WORDS": "junctor adapters mail", "COMP_CWORD": "2"}
    assert "mailbox" in CliRunner().invoke(cli, [], prog_name="junctor", env=complete).output


# Our own ----------------------------------------------------------------------------------------------------

OWN = [one for one in catalogue() if one.distribution.startswith("junctor ") and not one.problem]


def test_the_package_says_the_same_to_people_tools_and_python() -> None:
    assert list(junctor.adapters.__all__) == sorted(junctor.adapters._SOURCES)
    assert set(junctor.adapters.__all__) <= set(dir(junctor.adapters))
    with pytest.raises(AttributeError, match="NoSuchThing"):
        junctor.adapters.NoSuchThing  # noqa: B018


@pytest.mark.parametrize("one", OWN, ids=lambda one: one.name)
def test_each_of_ours_says_what_its_settings_mean(one: AdapterEntry) -> None:
    assert one.doc.endswith("."), f"the docstring of {one.code} begins with a sentence on one line"
    silent = [each.name for each in one.settings if not each.doc]
    assert not silent, f"settings of {one.name} without doc=: {silent}"


@pytest.mark.parametrize("one", OWN, ids=lambda one: one.name)
def test_the_example_of_each_of_ours_can_be_pasted(one: AdapterEntry, plant: Write) -> None:
    """Into a flow: its settings are accepted. What it refers to need not be there."""
    assert not one.example.startswith("my-"), f"the docstring of {one.code} shows no example: adapter: {one.name}"
    plant("one.yaml", "services:\n" + textwrap.indent(one.example, "  "))
    (item,) = load("one.yaml", Overrides(incomplete=True)).services
    assert item.source is adapter(one.name)
    item.spec()
    assert UNSET not in item.settings.values() or "${" in one.example
