"""``junctor install`` as a user types it. No systemd runs here: units are written with ``--to``, or where a user has
them."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from junctor.cli.install import BOOTED
from junctor.node.process.unit import is_ours
from tests.integration.node.conftest import Junctor

needs_none = pytest.mark.skipif(BOOTED.is_dir(), reason="this machine is run by systemd")

SECRETIVE = """
from junctor import Service, action, setting

class Bank(Service):
    password: str = setting(secret=True)

    @action
    async def go(self): ...
"""


def of(text: str, key: str) -> str:
    return next(line.partition("=")[2] for line in text.splitlines() if line.startswith(f"{key}="))


def test_the_unit_runs_the_flow_as_it_was_named(junctor: Junctor) -> None:
    text = junctor("install", "machine.py", "--set", "alarm.limit=75", "--port", "8123", "--print")
    assert is_ours(text)
    folder = str(junctor.folder)
    words = shlex.split(of(text, "ExecStart"))
    assert words[1:] == ["run", f"{folder}/machine.py", "--set", "alarm.limit=75", "--port", "8123"]
    assert Path(words[0]).is_absolute() and Path(words[0]).name == "junctor"
    assert of(text, "WorkingDirectory") == folder
    assert of(text, "StateDirectory") == "junctor/machine"
    assert of(text, "ExecReload") == f"{words[0]} apply --node %S/junctor/machine"


def test_what_the_unit_says_can_be_run(junctor: Junctor) -> None:
    """The command of the unit, as systemd would start it: its folder, its data directory, nothing of the shell."""
    text = junctor("install", "machine.py", "--port", "0", "--print")
    data = junctor.folder / "state"
    words = shlex.split(of(text, "ExecStart"))[1:]
    node = junctor.start(*words, env={"STATE_DIRECTORY": str(data)}, command=("-m", "junctor"))
    assert f"store {data}" in node.said
    assert "running" in junctor("status", "--node", str(data))


def test_a_broken_flow_is_refused(junctor: Junctor) -> None:
    (junctor.folder / "bad.py").write_text("import nothing_like_this\n")
    said = junctor("install", "bad.py", "--to", "units", code=78)
    assert "there is no module nothing_like_this" in said
    assert not (junctor.folder / "units").exists()


def test_the_variables_of_the_shell_do_not_hide_what_the_unit_lacks(junctor: Junctor) -> None:
    (junctor.folder / "cloud.py").write_text(
        "import os\nfrom junctor import Service, action\nREGION = os.environ['REGION']\n"
        "class Cloud(Service):\n    @action\n    async def go(self): ...\n"
    )
    said = junctor("install", "cloud.py", "--print", code=78, REGION="north")
    assert "KeyError: 'REGION'" in said
    assert "$REGION is set in this shell; a unit has it from --env-file or --secret." in said


def test_a_unit_by_another_hand_is_not_overwritten(junctor: Junctor) -> None:
    units = junctor.folder / "units"
    assert "wrote" in junctor.here("install", "machine.py", "--to", "units")
    assert "wrote" in junctor.here("install", "machine.py", "--to", "units", "--set", "alarm.limit=3")
    unit = units / "junctor-machine.service"
    unit.write_text(unit.read_text().replace("RestartSec=2", "RestartSec=9"))
    assert "changed by hand" in junctor.here("install", "machine.py", "--to", "units", code=1)
    assert "RestartSec=9" in unit.read_text()
    junctor.here("install", "machine.py", "--to", "units", "--force")
    assert "RestartSec=2" in unit.read_text()
    assert [file.name for file in units.iterdir()] == [unit.name]


def test_a_unit_is_taken_away_but_not_its_data(junctor: Junctor) -> None:
    junctor.here("install", "machine.py", "--to", "units")
    unit = junctor.folder / "units" / "junctor-machine.service"
    wants = junctor.folder / "units" / "multi-user.target.wants"
    wants.mkdir()
    (wants / unit.name).symlink_to(unit)
    said = junctor.here("install", "machine.py", "--to", "units", "--remove", code=1)
    assert "the unit is enabled" in said and "disable --now junctor-machine.service" in said
    (wants / unit.name).unlink()
    said = junctor.here("install", "machine", "--to", "units", "--remove")
    assert said.splitlines() == [f"removed {unit}", "The data of the flow stays in /var/lib/junctor/machine."]
    assert "there is no unit" in junctor.here("install", "machine.py", "--to", "units", "--remove", code=1)
    junctor.here("install", "machine.py", "--to", "units")
    said = junctor.here("install", "machin", "--to", "units", "--remove", code=1)
    assert 'there is no unit of a flow "machin". Did you mean "machine"?' in said


def test_a_unit_is_taken_away_where_its_secrets_are_not(junctor: Junctor) -> None:
    (junctor.folder / "bank.yaml").write_text(
        "services: {bank: {class: 'bank:Bank', settings: {password: '${secret:BANK_PASSWORD}'}}}\n"
    )
    (junctor.folder / "bank.py").write_text(SECRETIVE)
    (junctor.folder / "password").write_text("hunter22")
    junctor.here("install", "bank.yaml", "--secret", "BANK_PASSWORD=password", "--name", "vault", "--to", "units")
    said = junctor.here("install", "bank.yaml", "--to", "units", "--remove", code=1)
    assert "its name is not known: there is no secret BANK_PASSWORD. Give the name instead of the file: vault." in said
    assert "removed" in junctor.here("install", "vault", "--to", "units", "--remove")


def test_a_link_in_the_way_leads_nowhere(junctor: Junctor) -> None:
    units, other = junctor.folder / "units", junctor.folder / "other"
    units.mkdir()
    other.write_text("precious")
    for name in ("junctor-machine.new", ".junctor-machine.service"):
        (units / name).symlink_to(other)
    junctor.here("install", "machine.py", "--to", "units")
    (units / "junctor-machine.service").unlink()
    (units / "junctor-machine.service").symlink_to(other)
    junctor.here("install", "machine.py", "--to", "units", "--force")
    assert other.read_text() == "precious"
    assert not (units / "junctor-machine.service").is_symlink()
    assert (units / "junctor-machine.service").stat().st_mode & 0o777 == 0o644


def test_a_foreign_unit_is_not_taken_away(junctor: Junctor) -> None:
    units = junctor.folder / "units"
    units.mkdir()
    (units / "junctor-machine.service").write_text("[Service]\nExecStart=/bin/true\n")
    assert "changed by hand" in junctor.here("install", "machine", "--to", "units", "--remove", code=1)
    assert (units / "junctor-machine.service").exists()


@needs_none
def test_a_machine_without_systemd_says_so(junctor: Junctor) -> None:
    said = junctor.here("install", "machine.py", "--user", code=1)
    assert "this machine is not run by systemd" in said and "--print" in said


def test_secrets_come_from_files_and_never_stand_in_the_unit(junctor: Junctor) -> None:
    (junctor.folder / "bank.py").write_text(SECRETIVE)
    said = junctor.here("install", "bank.py", "--set", "bank.password=hunter22", "--print", code=78)
    assert "a secret cannot stand in it" in said
    assert "hunter22" not in said
    for way in ("bank.settings.password", "bank/bank.password", "bank/bank.settings.password"):
        said = junctor.here("install", "bank.py", "--set", f"{way}=hunter22", "--print", code=78)
        assert f"--set {way}: everybody on the machine can read a unit" in said
    (junctor.folder / "password").write_text("hunter22")
    text = junctor.here("install", "machine.py", "--secret", "BANK_PASSWORD=password", "--print")
    assert of(text, "LoadCredential") == f"BANK_PASSWORD:{junctor.folder}/password"
    assert "hunter22" not in text
    assert "there is no such file" in junctor.here("install", "machine.py", "--secret", "X=gone", "--print", code=78)
    assert "name of a secret" in junctor.here("install", "machine.py", "--secret", "a/b=password", "--print", code=78)


def test_what_the_flow_reads_decides_what_it_sees(junctor: Junctor) -> None:
    text = junctor.here("install", "machine.py", "--print", "--run-as", "nobody", "--write", "out put")
    assert of(text, "User") == "nobody"
    assert of(text, "ReadWritePaths") == f'"{junctor.folder}/out put"'
    if junctor.folder.is_relative_to("/tmp"):
        assert "PrivateTmp" not in text  # it would not find its own files
    if Path(sys.base_prefix).is_relative_to("/root"):
        assert of(text, "ProtectHome") == "read-only"


def test_a_port_below_1024_needs_a_right(junctor: Junctor) -> None:
    (junctor.folder / "flow.yaml").write_text(
        "flow: low\nhttp: {port: 443}\n"
        "services:\n  monitor: {class: machine:Monitor}\n  alarm: {class: machine:Alarm}\n"
    )
    right = "AmbientCapabilities=CAP_NET_BIND_SERVICE"
    assert right in junctor.here("install", "flow.yaml", "--print")
    assert right in junctor.here("install", "machine.py", "--port", "80", "--print")
    assert right not in junctor.here("install", "machine.py", "--port", "8080", "--print")


def test_several_flows_and_their_files_keep_their_places(junctor: Junctor) -> None:
    (junctor.folder / "other.py").write_text(
        "from junctor import Service, action\nclass Other(Service):\n    @action\n    async def go(self): ...\n"
    )
    (junctor.folder / "my.env").write_text("A=1\n")
    text = junctor.here("install", "machine.py", "other.py:Other", "--env-file", "my.env", "--print")
    folder = junctor.folder
    expected = ["run", f"{folder}/machine.py", f"{folder}/other.py:Other", "--env-file", f"{folder}/my.env"]
    assert shlex.split(of(text, "ExecStart"))[1:] == expected
    said = junctor.here("install", "machine.py", "other.py", "--name", "x", "--print", code=78)
    assert "another flow of the node has this name" in said


def test_now_with_a_folder_makes_no_sense(junctor: Junctor) -> None:
    assert "do not go together" in junctor.here("install", "machine.py", "--to", "units", "--now", code=1)


def test_the_help_names_every_option(junctor: Junctor) -> None:
    said = junctor.here("install", "--help")
    for word in ("--user", "--secret", "--write", "--run-as", "--print", "--now", "--force", "--remove", "--overlay"):
        assert word in said
