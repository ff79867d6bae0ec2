"""The ``iop`` command as its users know it: flags, output, exit codes; productions that start, stop, change and die."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from junctor.dialects.iop.director.place import Life, Namespace
from junctor.node.control.client import NodeClient
from junctor.node.control.operations.node import Pong
from tests.integration.iop.iop_command import Project, project_in


@pytest.fixture
def project(short_dir: Path) -> Iterator[Project]:
    with project_in(short_dir) as made:
        yield made


@pytest.fixture(scope="module")
def running() -> Iterator[Project]:
    """One whose production runs, for tests that leave it as it is."""
    folder = Path(tempfile.mkdtemp(prefix="jn-", dir="/tmp"))
    with project_in(folder) as made:
        made.iop("--migrate", "settings.py")
        made.iop("--default", "Demo.Production")
        assert made.iop("--start", "--detach") == "Production Demo.Production started\n"
        yield made
    shutil.rmtree(folder, ignore_errors=True)


def pid_of(project: Project, production: str = "Demo.Production") -> int:
    with contextlib.closing(NodeClient(Namespace("USER", project.home).directory(production))) as client:
        pong: Pong = client.ask("ping", Pong)
        return pong.pid


# Without a production that runs ---------------------------------------------------------------------------------


def test_a_new_namespace_knows_nothing(project: Project) -> None:
    assert f"there is no registry in {project.home}" in project.iop("-S", code=1)
    assert project.iop("--list") == "{}\n"
    assert project.iop("--default") == "Not defined\n"
    assert project.json("--status") == {"Production": "", "Status": "stopped", "NeedsUpdate": False}
    said = project.iop()
    assert said.startswith("usage: iop") and said.endswith("\nDefault production: Not defined\n\nNamespace: USER\n")
    said = project.iop("--start", code=1)
    assert said.startswith("Error: no production name provided and no default production is defined. Name one")


def test_the_plan_comes_first_and_may_be_all(project: Project) -> None:
    plan = project.iop("--migrate", "settings.py", "--dry-run")
    assert plan.startswith("Migration plan: settings.py\nMode: LOCAL\nNamespace: USER\n\nCLASSES:\n")
    assert project.iop("--list") == "{}\n"
    assert project.iop("-m", "settings.py") == f"{plan}Migration succeeded: settings.py\n"
    said = project.iop("-n", "second", "-M", "settings.py")
    assert said.endswith("Migration succeeded in namespace SECOND: settings.py\n")
    stopped = {"Status": "Stopped", "LastStartTime": "", "LastStopTime": "", "AutoStart": 0}
    assert project.json("-l") == {"Demo.Production": stopped, "Demo.Other": stopped}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--wrong", "unrecognized arguments: --wrong. `iop --help` shows what there is."),
        ("-l -x", "not allowed with argument"),
        ("--detach", "--detach belongs to --start"),
        ("--log many", "--log takes a number of rows, not many"),
        ("--migrate nothing.py", "nothing.py"),
        ("--default Demo.Prod", 'there is no production Demo.Prod (namespace USER). Did you mean "Demo.Production"?'),
        ("--start Demo.Prod", "there is no production Demo.Prod"),
        ("--export Demo.Prod", "there is no production Demo.Prod"),
        ("--export Demo.Other --format class", "not offered"),
        (
            "--unbind Python.Sore",
            'no class is registered as Python.Sore (namespace USER). Did you mean "Python.Store"?',
        ),
        ("--unbind Python.Store", "Python.Store is used by Python.Store of Demo.Production"),
        ("--plan x.json", "a plan of changes is not offered yet"),
        ("--remote-settings x.py", "work on another machine is not offered yet"),
        ("--stop", "no production runs in namespace USER"),
        ("--kill", "no production runs in namespace USER"),
        ("--restart", "no production runs in namespace USER"),
        ("--update", "no production runs in namespace USER"),
        ("--test Python.Store", "no production runs in namespace USER"),
    ],
)
def test_what_is_wrong_is_told_with_what_helps(project: Project, words: str, told: str) -> None:
    project.iop("-m", "settings.py")
    said = project.iop(*words.split(), code=1)
    assert said.startswith("Error: ") and told in said and said.rstrip().count("\n") == 0


def test_another_machine_is_never_mistaken_for_this_one(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IOP_URL", "http://example.org")
    assert "work on another machine is not offered yet" in project.iop("--list", code=1)
    assert project.iop("--list", "--force-local") == "{}\n"


def test_definitions_are_exported_and_forgotten(project: Project) -> None:
    project.iop("-m", "settings.py")
    assert list(project.json("--export", "Demo.Other")) == ["Demo.Other"]
    assert "production Demo.Other" not in project.iop("--export", "Demo.Other", "--format", "python")
    assert project.iop("-e", "Demo.Other", "--format", "graph").startswith("Demo.Other\n  Python.Store [Python.Store]")
    assert project.iop("-e", "Demo.Production", "--format", "mermaid").startswith("flowchart LR\n")
    (project.folder / "spare.py").write_text("import bo\nCLASSES = {'Python.Spare': bo.Store}\n")
    project.iop("-m", "spare.py")
    assert [one["class"] for one in project.json("--bindings", "--unused")] == ["Python.Spare"]
    store = next(one for one in project.json("--bindings") if one["class"] == "Python.Store")
    assert store["super"] == "BusinessOperation" and store["classpaths"] == [str(project.folder.resolve())]
    assert {"production": "Demo.Other", "item": "Python.Store"} in store["used_by"]
    assert project.iop("--unbind", "Python.Spare") == "Removed binding Python.Spare.\n"
    assert project.json("--bindings", "--unused") == []


# One that runs ----------------------------------------------------------------------------------------------------


def test_what_runs_is_shown(running: Project) -> None:
    assert running.json("-x") == {"Production": "Demo.Production", "Status": "running", "NeedsUpdate": False}
    shown = running.json("-l")
    assert shown["Demo.Production"]["Status"] == "Running" and shown["Demo.Production"]["LastStartTime"]
    assert shown["Demo.Other"]["Status"] == "Stopped"
    queues = running.json("-q")
    assert queues["production"] == "Demo.Production" and queues["warnings"] == []
    assert queues["items"][3] == {
        "item": "Python.Store",
        "queue_name": "Python.Store",
        "class_name": "Python.Store",
        "exists": True,
        "count": 0,
    }


def test_only_one_runs_in_a_namespace(running: Project) -> None:
    assert "production Demo.Production runs already. Stop it first: iop --stop." in running.iop("-s", code=1)
    said = running.iop("-s", "Demo.Other", "-D", code=1)
    assert "production Demo.Production runs, and one production of namespace USER runs at a time" in said


def test_an_item_is_tested(running: Project) -> None:
    words = ("-t", "Python.Store", "-C", "msg.Order")
    assert running.iop(*words, "-B", '{"number": 4}') == 'classname: msg.Receipt\nbody:\n{\n    "text": "kept 4"\n}\n'
    (running.folder / "body.json").write_text('{"number": 5}')
    assert '"kept 5"' in running.iop(*words, "-B", "@body.json")
    assert '"kept 6"' in running.iop("-t", "Python.Intake", "-C", "msg.Order", "-B", '{"number": 6}')
    for more, told in (
        (("-B", "{"), "the body is no JSON"),
        (("-B", "@nothing.json"), "the file cannot be read"),
        (("-C", "msg.Ordr"), 'the production knows no message msg.Ordr (test). Did you mean "msg.Order"?'),
        (
            ("-t", "Python.Sore"),
            'the production has no item Python.Sore (Demo.Production). Did you mean "Python.Store"?',
        ),
        (("-t",), "no target is given"),
    ):
        assert told in running.iop(*words, *more, code=1)


def test_the_log_has_the_columns_of_the_event_log(running: Project) -> None:
    running.iop("-t", "Python.Intake", "-C", "msg.Order", "-B", '{"number": 77}')
    until = time.monotonic() + 10
    while "order 77" not in (rows := running.iop("-L", "50")) or "kept" not in rows.rpartition("order 77")[2]:
        assert time.monotonic() < until, rows
        time.sleep(0.02)
    intake, store = [line.split(" ", 8) for line in rows.splitlines()[-2:]]
    job = str(pid_of(running))
    assert intake[2:5] == ["Info", "Python.Intake", job] and intake[7:] == ["Intake", "on_process_input order 77"]
    assert store[2:5] == ["Assert", "Python.Store", job] and store[7:] == ["Store", "on_order kept"]
    assert store[6] == intake[6], "one session"


def test_the_log_streams_until_ctrl_c(running: Project) -> None:
    words = [sys.executable, "-m", "iop", "--log"]
    with subprocess.Popen(words, cwd=running.folder, stdout=subprocess.PIPE, text=True) as stream:
        assert stream.stdout is not None
        running.iop("-t", "Python.Intake", "-C", "msg.Order", "-B", '{"number": 88}')
        while "order 88" not in stream.stdout.readline():
            assert stream.poll() is None
        stream.send_signal(signal.SIGINT)
        assert stream.wait(10) == 0


# Life -------------------------------------------------------------------------------------------------------------


def test_a_production_changes_dies_and_goes_on(project: Project) -> None:
    (project.folder / "iop").mkdir()  # a folder of this name is not what iop:Demo.Production means
    project.iop("-m", "settings.py")
    assert project.iop("-s", "Demo.Production", "-D") == "Production Demo.Production started\n"
    first = pid_of(project)
    bo = project.folder / "bo.py"
    bo.write_text(bo.read_text().replace('f"kept', 'f"stored'))
    status = project.json("-x")
    assert status["NeedsUpdate"] and "~ python-store: code" in status["UpdateMessage"]
    assert project.iop("-u") == ""
    assert "stored 1" in project.iop("-t", "Python.Store", "-C", "msg.Order", "-B", '{"number": 1}')
    bo.write_text(bo.read_text() + "\ndef broken(:\n")
    assert "SyntaxError" in project.json("-x")["UpdateMessage"]
    assert "python-store runs, and would be in error" in project.iop("-u", code=1)
    assert "stored 2" in project.iop("-t", "Python.Store", "-C", "msg.Order", "-B", '{"number": 2}')
    bo.write_text(bo.read_text().replace("\ndef broken(:\n", ""))
    assert not project.json("-x")["NeedsUpdate"] and pid_of(project) == first
    os.kill(first, signal.SIGKILL)
    while Namespace("USER", project.home).running():
        time.sleep(0.02)
    assert project.json("-x") == {"Production": "Demo.Production", "Status": "troubled", "NeedsUpdate": False}
    project.iop("-d", "Demo.Production")
    assert project.iop("-s", "-D") == "Production Demo.Production started\n"
    assert project.iop("-r") == ""
    second = pid_of(project)
    assert second != first
    assert project.iop("-S") == "Production Demo.Production stopped\n"
    assert project.json("-x")["Status"] == "stopped"
    life = Life.read(Namespace("USER", project.home).directory("Demo.Production"))
    assert life is not None and life.stopped > life.started > 0 and life.pid == second


def test_a_start_that_fails_tells_why(project: Project) -> None:
    project.iop("-m", "settings.py")
    directory = project.home / "demo-other"
    directory.mkdir()
    (directory / "junctor.db").write_bytes(b"no store" * 1000)
    said = project.iop("-s", "Demo.Other", "-D", code=1)
    assert said.startswith("Error: ") and "junctor.db" in said
    assert project.json("-l")["Demo.Other"]["Status"] == "Stopped"


LATE = """
from iop import BusinessOperation
import bo


class Late(BusinessOperation):
    late: float = 1.0

    def on_message(self, request):
        return request


PRODUCTIONS = [{"Demo.Late": {"Item": [
    {"@Name": "Late", "@ClassName": Late, "Setting": {"@Target": "Host", "@Name": "late", "#text": "1"}},
    {"@Name": "Store", "@ClassName": bo.Store},
]}}]
"""


def test_a_setting_with_a_mistake_is_the_matter_of_its_item(project: Project) -> None:
    late = project.folder / "late.py"
    late.write_text(LATE)
    project.iop("-m", "late.py")
    project.iop("-s", "Demo.Late", "-D")
    first = pid_of(project, "Demo.Late")
    late.write_text(LATE.replace('"#text": "1"', '"#text": "many"'))
    project.iop("-m", "late.py")
    with contextlib.closing(NodeClient(Namespace("USER", project.home).directory("Demo.Late"))) as client:
        assert client.ask("pause", list[str], service="Late") == ["demo-late/late"]  # by its name in the production
        assert client.ask("resume", list[str], service="Late") == ["demo-late/late"]
    for flag in ("-u", "-r"):
        assert "late runs, and would be in error: Late.late: expected" in project.iop(flag, code=1)
    assert pid_of(project, "Demo.Late") == first
    project.iop("-S")
    project.iop("-s", "Demo.Late", "-D")
    assert project.json("-x")["Status"] == "running"
    assert "Late.late: expected" in project.iop("-L", "20")
    assert project.iop("-r") == ""  # it is in error already
    assert pid_of(project, "Demo.Late") != first


def test_a_start_that_is_refused_is_in_the_log(project: Project) -> None:
    project.iop("-m", "settings.py")
    project.iop("-s", "Demo.Other", "-D")
    first = pid_of(project, "Demo.Other")
    registry = project.home / "iop" / "USER.json"
    twins = json.loads(registry.read_text())
    for one in twins["productions"]:
        one["items"] = [one["items"][0], {**one["items"][0], "name": one["items"][0]["name"].upper()}]
    registry.write_text(json.dumps(twins))
    assert "are one here" in project.iop("-r", code=1)
    assert pid_of(project, "Demo.Other") == first
    project.iop("-S")
    assert "are one here" in project.iop("-s", "Demo.Other", "-D", code=1)
    assert "Error" in (row := project.iop("-L", "1")) and "production Demo.Other was not started" in row


def test_in_the_foreground_it_says_what_it_does_until_ctrl_c(project: Project) -> None:
    project.iop("-m", "settings.py")
    words = [sys.executable, "-m", "grongier.pex", "--start", "Demo.Other"]
    env = {**os.environ, "IOP_NAMESPACE": "USER"}
    with subprocess.Popen(words, cwd=project.folder, env=env, stdout=subprocess.PIPE, text=True) as node:
        assert node.stdout is not None
        while "stop with Ctrl-C" not in node.stdout.readline():
            assert node.poll() is None
        assert project.json("-x")["Production"] == "Demo.Other"
        node.send_signal(signal.SIGINT)
        assert node.wait(20) == 0


def test_namespaces_are_apart(project: Project) -> None:
    for namespace in ("USER", "second"):
        project.iop("-n", namespace, "-m", "settings.py")
    project.iop("-s", "Demo.Other", "-D")
    project.iop("-n", "second", "-s", "Demo.Other", "-D")
    assert project.iop("-S") == "Production Demo.Other stopped\n"
    assert project.json("-n", "second", "-x")["Status"] == "running"
    assert project.iop("-k", namespace="second") == ""


def test_the_traceback_that_an_error_speaks_of_follows_it(project: Project) -> None:
    (project.folder / "broken.py").write_text("import bo\n\n1 / 0\n")
    said = project.iop("--migrate", "broken.py", code=1)
    assert said.startswith("Error: ZeroDivisionError: division by zero (broken.py:3).")
    assert "Traceback (most recent call last)" in said


SENDER = """
import bo
from iop import BusinessService

class Sender(BusinessService):
    def on_process_input(self, order: bo.Order):
        self.send_request_async("Store", order)

STORE = {"@Name": "Store", "@ClassName": {"module": "bo", "class": "Store", "path": "."}, "@Enabled": "false"}
ITEMS = [{"@Name": "Sender", "@ClassName": {"module": "sender", "class": "Sender", "path": "."}}, STORE]
PRODUCTIONS = [{"Demo.Production": {"@TestingEnabled": "true", "Item": ITEMS}}]
"""


def test_messages_for_an_item_that_is_gone_are_told_with_the_queues(project: Project) -> None:
    file = project.folder / "sender.py"
    file.write_text(SENDER)
    project.iop("--migrate", "sender.py")
    project.iop("--start", "Demo.Production", "--detach")
    project.iop("--test", "Sender", "-C", "msg.Order", "-B", '{"number": 1}')
    file.write_text(SENDER.replace(", STORE]", "]"))
    project.iop("--migrate", "sender.py")
    project.iop("--update")
    assert project.json("--queue")["warnings"] == ["1 waiting for store, which the production has not"]


def test_files_with_names_of_the_standard_library_do_not_stand_in_the_way_of_a_start(project: Project) -> None:
    for name in ("queue.py", "types.py", "json.py"):
        (project.folder / name).write_text("raise RuntimeError('this is no module of Python')\n")
    project.iop("--migrate", "settings.py")
    assert project.iop("--start", "Demo.Production", "--detach") == "Production Demo.Production started\n"
    assert project.json("--status")["Status"] == "running"


def test_more_rows_of_the_log_than_there_can_be(running: Project) -> None:
    assert running.iop("--log", "9" * 30) == running.iop("--log", "1000")
