"""A node as a process: how it starts, refuses to start, stops, and what is left to read afterwards."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import junctor as public
from junctor.node.control.wire import NoAnswer
from tests.integration.node.conftest import Junctor

ANY_PORT = ("--port", "0")
HASTY = (
    "import sys\nfrom junctor.cli.main import main\nfrom junctor.node.process import ending, launch\n"
    "launch.GRACE = ending.GRACE = 0.2\nending.PATIENCE = 0.3\nsys.exit(main(sys.argv[1:]))\n"
)


def test_it_says_what_runs_where(junctor: Junctor) -> None:
    node = junctor.start("machine.py", *ANY_PORT)
    lines = node.said.splitlines()
    assert "flow machine" in lines
    assert "    readings -> alarm  (Reading, by type)" in lines
    assert f"store {junctor.folder}/.junctor/machine" in lines
    assert any(line.startswith("http http://127.0.0.1:") for line in lines)
    node.signal(signal.SIGTERM)
    assert node.ends(0).splitlines()[-1] == "stopped"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_a_clean_stop(junctor: Junctor, number: signal.Signals) -> None:
    node = junctor.start("machine.py", *ANY_PORT)
    node.signal(number)
    assert "stopped" in node.ends(0)
    assert not (junctor.folder / ".junctor" / "machine" / "control.sock").exists()


def test_ctrl_c_twice_by_a_wrapper_is_one(junctor: Junctor) -> None:
    node = junctor.start("machine.py", *ANY_PORT)
    node.signal(signal.SIGINT)
    time.sleep(0.01)
    node.signal(signal.SIGINT)
    node.ends(0)


def test_a_second_ctrl_c_ends_at_once_even_a_blocked_loop(junctor: Junctor) -> None:
    node = junctor.start("machine.py", *ANY_PORT)
    junctor.here("send", "alarm", '{"text": "block"}', "--type", "Note")
    time.sleep(0.3)
    node.signal(signal.SIGINT)
    time.sleep(0.6)
    assert node.process.poll() is None
    node.signal(signal.SIGINT)
    assert "ended at once" in node.ends(130)
    again = junctor.start("machine.py", *ANY_PORT)
    again.process.kill()


def test_a_blocked_loop_ends_when_the_grace_is_over(junctor: Junctor) -> None:
    (junctor.folder / "hasty.py").write_text(HASTY)
    node = junctor.start("run", "machine.py", *ANY_PORT, command=("hasty.py",))
    with public.connect(junctor.folder) as client:
        client.send("alarm", {"text": "block"}, type="Note")
        time.sleep(0.3)
        with pytest.raises(NoAnswer, match="does not answer"):
            client.ask("status", patience=0.1)
    node.signal(signal.SIGTERM)
    said = node.ends(70)
    assert "code blocked the event loop" in said
    assert "time.sleep(60)" in said


def test_a_stop_while_a_service_starts(junctor: Junctor) -> None:
    (junctor.folder / "slow.py").write_text(
        "import asyncio\nfrom junctor import Service, action\n"
        "class Slow(Service):\n"
        "    async def on_start(self):\n        print('starting', flush=True)\n        await asyncio.sleep(60)\n"
        "    @action\n    async def go(self): ...\n"
    )
    node = junctor.launch("slow.py", *ANY_PORT)
    node.wait_for("starting")
    assert junctor.json("status")["state"] == "starting"
    node.signal(signal.SIGINT)
    assert "stopped" in node.ends(0)


def test_the_stop_command_waits_for_the_end(junctor: Junctor) -> None:
    node = junctor.start("machine.py", *ANY_PORT)
    assert junctor("stop") == "stopped\n"
    assert "junctor stop" in node.ends(0)
    assert junctor("stop") == "the node does not run\n"


def test_a_request_under_way_is_not_cut_by_the_stop(junctor: Junctor) -> None:
    junctor.start("machine.py", *ANY_PORT)
    with public.connect(junctor.folder) as node:
        receipt = node.send("alarm", {"text": "wait"}, type="Note")
        time.sleep(0.1)
        assert junctor.here("stop") == "stopped\n"
    assert junctor.json("trace", receipt.id)["hops"][0]["message"]["status"] == "done"


def test_the_store_of_a_stopped_node_is_read(junctor: Junctor) -> None:
    node = junctor.start("machine.py", *ANY_PORT)
    junctor.here("send", "alarm", '{"sensor": "disk", "value": -1}', "--type", "Reading")
    receipt = junctor.json("send", "alarm", '{"text": "hello"}', "--type", "Note", "--delay", "1h")
    until = time.monotonic() + 10
    while not junctor.json("parked") and time.monotonic() < until:
        time.sleep(0.01)
    node.signal(signal.SIGINT)
    node.ends(0)
    before = (junctor.folder / ".junctor" / "machine" / "junctor.db").read_bytes()
    status = junctor.json("status")
    assert (status["state"], status["parked"]) == ("down", 1)
    assert status["node"] == receipt["id"].rpartition("-")[0]
    assert [(s["service"], s["queued"]) for s in status["services"]] == [("alarm", 1)]
    assert junctor.json("messages", "--status", "waiting", "--service", "alarm")[0]["id"] == receipt["id"]
    assert junctor.json("trace", receipt["id"])["session"] == receipt["session"]
    assert junctor.json("parked")[0]["error"] == "Park"
    assert "parked" in junctor.here("alerts")
    assert (junctor.folder / ".junctor" / "machine" / "junctor.db").read_bytes() == before
    assert "does not run" in junctor.here("send", "alarm", "1", code=1)
    assert "does not run" in junctor.here("services", code=1)


def test_that_the_store_is_read_is_said_on_standard_error(junctor: Junctor) -> None:
    node = junctor.start("machine.py", *ANY_PORT)
    node.signal(signal.SIGINT)
    node.ends(0)
    out, err = junctor.folder / "out", junctor.folder / "err"
    command = f"{sys.executable} -m junctor messages --json >{out} 2>{err}"
    assert os.waitstatus_to_exitcode(os.system(f"cd {junctor.folder} && env -u JUNCTOR_NODE {command}")) == 0
    assert json.loads(out.read_text()) == []
    assert "node is down" in err.read_text()


def test_two_nodes_on_one_store(junctor: Junctor) -> None:
    first = junctor.start("machine.py", *ANY_PORT)
    for transport in ("sqlite", "memory"):
        second = junctor.start("machine.py", *ANY_PORT, "--transport", transport)
        said = second.ends(70)
        assert ".junctor/machine" in said
        assert "Stop the other node, or give this one its own folder with --store." in said
        assert "Traceback" not in said
    assert "running" in junctor.here("status")
    first.signal(signal.SIGINT)
    first.ends(0)


def test_a_port_in_use(junctor: Junctor, free_port: int) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_port))
        taken.listen()
        said = junctor.start("machine.py", "--port", str(free_port)).ends(70)
        assert f"port {free_port} is in use. Choose another port with --port" in said
        said = junctor.start("machine.py", env={"PORT": str(free_port)}).ends(70)
        assert "is in use" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("machine.py", "--set", "alarm.limit=101"), "alarm.limit"),
        (("machine.py", "--set", "alarm.limti=1"), '"limit"'),
        (("machine.py", "--set", "alram.limit=1"), 'no service "alram". Did you mean "alarm"'),
        (("machine.py", "--set", "limit=1"), "Write service.setting=value"),
        (("machine.py", "--set", "alarm.limit"), "Write service.setting=value"),
        (("machine.py", "--name", "Not A Name"), "cannot be a name"),
        (("machin.py",), "machine.py"),
        (("machine.py:Alram",), "Alarm"),
        (("broken.py",), "broken.py:2"),
        (("syntax.py",), "syntax.py:1"),
        (("empty.py",), "no service in it"),
        (("unguarded.py",), '__name__ == "__main__"'),
        (("machine.py", "--host", "no such host"), "not an address"),
    ],
)
def test_wrong_configuration_is_exit_code_78(junctor: Junctor, words: tuple[str, ...], said: str) -> None:
    (junctor.folder / "broken.py").write_text("import sys\nsys.nothing()\n")
    (junctor.folder / "syntax.py").write_text("def (:\n")
    (junctor.folder / "empty.py").write_text("")
    (junctor.folder / "unguarded.py").write_text("from machine import Alarm\nfrom junctor import run\nrun(Alarm())\n")
    text = junctor.start(*words, *ANY_PORT).ends(78)
    assert said in text
    assert text.startswith("junctor: ")
    assert not (junctor.folder / ".junctor").exists() or "--host" in words


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder(junctor: Junctor) -> None:
    (junctor.folder / "store").mkdir(mode=0o500)
    said = junctor.start("machine.py", *ANY_PORT, "--store", "store").ends(78)
    assert "read-only" in said
    assert "--store" in said


def test_a_store_that_is_a_file(junctor: Junctor) -> None:
    said = junctor.start("machine.py", *ANY_PORT, "--store", "machine.py").ends(78)
    assert "--store" in said
    assert "Traceback" not in said


def test_without_uvloop(junctor: Junctor) -> None:
    (junctor.folder / "plain.py").write_text(
        "import sys\nsys.modules['uvloop'] = None\nfrom junctor.cli.main import main\nsys.exit(main(sys.argv[1:]))\n"
    )
    node = junctor.start("run", "machine.py", *ANY_PORT, command=("plain.py",))
    assert junctor.here("call", "monitor", "measure", "value=1") == "sent 1.0\n"
    node.signal(signal.SIGINT)
    node.ends(0)


def test_a_script_of_its_own(junctor: Junctor) -> None:
    node = junctor.start(command=("machine.py",), env={"PORT": "0"})
    assert junctor.here("call", "alarm", "get_limit") == "70.0\n"
    assert junctor.json("status")["flows"] == ["machine"]
    node.signal(signal.SIGINT)
    node.ends(0)


def test_options_that_a_script_does_not_read_are_told(junctor: Junctor) -> None:
    node = junctor.start("--port", "0", "--set=alarm.limit=1", "--own", command=("machine.py",), env={"PORT": "0"})
    first = node.said.splitlines()[0]
    assert first == (
        "junctor: run() does not read --port, --set, so it has no effect. "
        "Use: junctor run machine.py --port 0 --set=alarm.limit=1"
    )
    node.signal(signal.SIGINT)
    node.ends(0)


def test_an_option_that_the_call_gives_itself_is_told_too(junctor: Junctor) -> None:
    (junctor.folder / "own.py").write_text("from machine import *\nrun(Alarm(), port=0)\n")
    node = junctor.start("--port", "9000", command=("own.py",))
    first = node.said.splitlines()[0]
    assert first.startswith("junctor: run() does not read --port, so it has no effect.")
    assert first.endswith("Use: junctor run own.py --port 9000")
    node.signal(signal.SIGINT)
    node.ends(0)


def test_options_that_a_script_passes_on_are_its_own(junctor: Junctor) -> None:
    (junctor.folder / "own.py").write_text("from machine import *\nimport sys\nrun(Alarm(), port=int(sys.argv[2]))\n")
    node = junctor.start("--port", "0", command=("own.py",))
    assert node.said.startswith("flow own\n")
    node.signal(signal.SIGINT)
    node.ends(0)


def test_where_it_runs_is_told_before_the_services_begin(junctor: Junctor) -> None:
    (junctor.folder / "early.py").write_text(
        "from junctor import Service\nclass Early(Service):\n    def on_start(self):\n        self.log.info('awake')\n"
    )
    node = junctor.start("early.py", *ANY_PORT)
    node.wait_for("awake")
    lines = node.said.splitlines()
    assert [line.split()[0] for line in lines[:4]] == ["flow", "early", "store", "http"]
    assert "awake" in lines[4]
    assert lines[5] == "stop with Ctrl-C"
    node.signal(signal.SIGINT)
    node.ends(0)


def test_a_script_with_wrong_wiring(junctor: Junctor) -> None:
    (junctor.folder / "wrong.py").write_text("from machine import *\nrun(Monitor())\n")
    said = junctor.start(command=("wrong.py",)).ends(78)
    assert said.startswith("junctor: monitor.readings: no service handles Reading")
    assert "Traceback" not in said


def test_a_folder_stands_for_its_file(junctor: Junctor) -> None:
    project = junctor.folder / "machine-room"
    project.mkdir()
    (junctor.folder / "machine.py").rename(project / "machine_room.py")
    (project / "other.py").write_text("")
    node = junctor.start("machine-room", *ANY_PORT)
    assert "flow machine_room" in node.said
    node.signal(signal.SIGINT)
    node.ends(0)


def test_a_deep_folder(short_dir: Path, make_junctor: Callable[[Path], Junctor]) -> None:
    junctor = make_junctor(short_dir / ("deep" * 20) / ("deeper" * 10))
    node = junctor.start("machine.py", *ANY_PORT)
    pointer = junctor.folder / ".junctor" / "machine" / "control.path"
    path = Path(pointer.read_text().strip())
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert "running" in junctor.here("status")
    node.signal(signal.SIGTERM)
    node.ends(0)
    assert not path.parent.exists()
    assert not pointer.exists()


def test_after_a_kill_the_next_node_takes_over(junctor: Junctor) -> None:
    first = junctor.start("machine.py", *ANY_PORT)
    receipt = junctor.json("send", "alarm", '{"text": "wait"}', "--type", "Note")
    first.process.kill()
    first.process.wait()
    assert junctor.json("status")["state"] == "down"
    second = junctor.start("machine.py", *ANY_PORT)
    until = time.monotonic() + 10
    while junctor.json("trace", receipt["id"])["hops"][0]["message"]["status"] != "done" and time.monotonic() < until:
        time.sleep(0.02)
    assert junctor.json("trace", receipt["id"])["hops"][0]["message"]["status"] == "done"
    second.signal(signal.SIGINT)
    second.ends(0)


FORKING = """
import multiprocessing, time
from junctor import Service, action

class Forking(Service):
    def on_start(self):
        self.child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,), daemon=True)
        self.child.start()

    @action
    def child_pid(self) -> int:
        return self.child.pid

    @action
    def end_child(self) -> int:
        self.child.terminate()
        self.child.join(5)
        return self.child.exitcode
"""


def test_a_forked_child_does_not_keep_the_next_node_from_starting(junctor: Junctor, free_port: int) -> None:
    (junctor.folder / "forking.py").write_text(FORKING)
    first = junctor.start("forking.py", "--port", str(free_port))
    child = int(junctor.here("call", "forking", "child_pid"))
    first.process.kill()
    first.process.wait()
    try:
        second = junctor.start("forking.py", "--port", str(free_port))
        assert junctor.json("status")["state"] == "running"
        second.signal(signal.SIGTERM)
        second.ends(0)
    finally:
        os.kill(child, signal.SIGKILL)


def test_a_forked_child_ends_by_its_signals(junctor: Junctor) -> None:
    (junctor.folder / "forking.py").write_text(FORKING)
    node = junctor.start("forking.py", *ANY_PORT)
    assert junctor.here("call", "forking", "end_child") == f"{-signal.SIGTERM}\n"
    assert junctor.json("status")["state"] == "running"
    node.signal(signal.SIGTERM)
    node.ends(0)


def test_several_nodes_in_one_folder(junctor: Junctor) -> None:
    junctor.start("machine.py", *ANY_PORT, "--name", "one")
    junctor.start("machine.py", *ANY_PORT, "--name", "two")
    said = junctor.here("status", code=1)
    assert "2 nodes: one (running), two (running)" in said
    assert "--node" in said
    assert junctor.json("status", "--node", "two")["flows"] == ["two"]
    junctor.here("stop", "--node", "two")
    assert junctor.json("status")["flows"] == ["one"]


def test_the_memory_transport_keeps_nothing(junctor: Junctor) -> None:
    node = junctor.start("machine.py", *ANY_PORT, "--transport", "memory")
    assert "messages are kept in memory only" in node.said
    assert junctor.here("call", "monitor", "measure", "value=1") == "sent 1.0\n"
    junctor.here("stop")
    assert "no store" in junctor.here("messages", code=1)


LEFT_BEHIND = """
import asyncio, sys, threading, time
from junctor import Service, action, run

class Leaver(Service):
    async def on_start(self):
        {what}
    @action
    async def go(self): ...

if __name__ == "__main__":
    run(Leaver())
"""


@pytest.mark.parametrize("how", ["SIGTERM", "stop"])
@pytest.mark.parametrize(
    ("what", "named"),
    [
        ("threading.Thread(target=time.sleep, args=(40,), name='my uploader').start()", "my uploader"),
        ("self.kept = asyncio.ensure_future(asyncio.to_thread(time.sleep, 40))", "thread "),
    ],
)
def test_what_a_service_leaves_behind_does_not_keep_the_process(
    junctor: Junctor, how: str, what: str, named: str
) -> None:
    (junctor.folder / "leaver.py").write_text(LEFT_BEHIND.format(what=what))
    (junctor.folder / "hasty.py").write_text(HASTY)
    node = junctor.start("run", "leaver.py", *ANY_PORT, command=("hasty.py",))
    if how == "stop":
        junctor.here("stop")
    else:
        node.signal(signal.SIGTERM)
    said = node.ends(0)
    assert "stopped" in said
    assert named in said


def test_a_script_ends_too_but_what_it_does_after_the_node_is_its_own(junctor: Junctor) -> None:
    left = "threading.Thread(target=time.sleep, args=(40,), name='my uploader').start()"
    text = LEFT_BEHIND.format(what=left).replace("import asyncio", HASTY.split("sys.exit")[0] + "import asyncio")
    (junctor.folder / "leaver.py").write_text(f"{text}    time.sleep(1.2)\n    print('after', flush=True)\n")
    node = junctor.start(command=("leaver.py",))
    node.signal(signal.SIGTERM)
    said = node.ends(0)
    assert said.index("after") < said.index("my uploader")


def test_what_cannot_help_again_is_told_by_the_code(junctor: Junctor) -> None:
    a_file = junctor.folder / "file"
    a_file.write_text("")
    assert "file" in junctor("run", "machine.py", *ANY_PORT, "--store", str(a_file), code=78)
    store = junctor.folder / "newer"
    junctor.start("machine.py", *ANY_PORT, "--store", str(store)).signal(signal.SIGINT)
    junctor.processes[-1].wait()
    with contextlib.closing(sqlite3.connect(store / "junctor.db")) as connection:
        connection.execute("PRAGMA user_version = 99")
    assert "newer" in junctor("run", "machine.py", *ANY_PORT, "--store", str(store), code=78)


@pytest.mark.parametrize("words", [("status",), ("services",), ("--help",), ("messages", "--json")])
def test_a_reader_that_has_enough_is_no_failure(junctor: Junctor, words: tuple[str, ...]) -> None:
    junctor.start("machine.py", *ANY_PORT)
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "junctor", *words]
    done = subprocess.run(command, cwd=junctor.folder, env=junctor.env, stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("closed", [">&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams(junctor: Junctor, closed: str) -> None:
    junctor.start("machine.py", *ANY_PORT)
    command = f"{sys.executable} -m junctor status {closed}"
    done = subprocess.run(["sh", "-c", command], cwd=junctor.folder, env=junctor.env, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_what_cannot_be_written_is_a_failure(junctor: Junctor) -> None:
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "junctor", "--help"]
        done = subprocess.run(command, cwd=junctor.folder, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
@pytest.mark.parametrize("command", ["status", "messages"])
def test_what_is_no_file_is_no_store(junctor: Junctor, command: str, make: Callable[[Path], None]) -> None:
    store = junctor.folder / ".junctor" / "cpu"
    store.mkdir(parents=True)
    make(store / "junctor.db")
    assert "this is no file" in junctor(command, code=1)


@pytest.mark.parametrize("command", ["status", "messages"])
def test_a_damaged_store_says_so_and_what_to_do(junctor: Junctor, command: str) -> None:
    store = junctor.folder / ".junctor" / "cpu"
    store.mkdir(parents=True)
    (store / "junctor.db").write_bytes(b"no database" * 1000)
    said = junctor(command, code=1)
    assert "damaged" in said
    assert "from a copy" in said
    assert "Nothing was changed" in said


def test_a_damaged_message_shows_in_both(junctor: Junctor) -> None:
    node = junctor.start("machine.py", *ANY_PORT)
    junctor.here("send", "alarm", '{"text": "hello"}', "--type", "Note", "--delay", "1h")
    node.signal(signal.SIGINT)
    node.ends(0)
    database = junctor.folder / ".junctor" / "machine" / "junctor.db"
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("UPDATE message SET time = time + 1")
        connection.commit()
    assert "damaged" in junctor.here("status")
    assert junctor.json("status")["damaged"] >= 1
    assert "(damaged)" in junctor.here("messages")
