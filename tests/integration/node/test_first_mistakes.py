"""What somebody types wrong on the first day, and what is said to it."""

from __future__ import annotations

import json
import os
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.integration.node.conftest import Junctor

ANY_PORT = ("--port", "0")
SERVICE = """
from dataclasses import dataclass
from junctor import Service, action, get, handler, setting
import time

@dataclass(frozen=True)
class Order:
    qty: {kind}

class Load(Service):
    limit: float = setting(5.0)

    @handler
    async def on_order(self, order: Order) -> int:
        if order.qty == 7:
            raise ValueError("seven")
        return "wrong"

    @handler
    async def on_text(self, text: str) -> None: ...

    @action
    async def boom(self) -> int:
        raise KeyError("boom")

    @get("/n")
    async def n(self) -> int:
        return "text"

    @get("/b")
    async def b(self) -> list[int]:
        return 1 / 0

    @get("/fine")
    async def fine(self, which: str = "") -> float | list[str] | None:
        return {{"i": 1, "l": ["x"]}}.get(which)
"""


@pytest.fixture
def load(junctor: Junctor) -> Junctor:
    (junctor.folder / "machine.py").unlink()
    (junctor.folder / "load.py").write_text(SERVICE.format(kind="int"))
    (junctor.folder / "flow.yaml").write_text(
        "flow: f\nservices:\n  load:\n    class: load.py:Load\n    retry: {attempts: 3, initial: 10ms}\n"
        "    settings:\n      limit: 3\n"
    )
    return junctor


def test_the_log_tells_in_its_first_lines(load: Junctor) -> None:
    node = load.start("run", *ANY_PORT, command=("-m", "junctor"))
    url = next(line for line in node.said.splitlines() if line.startswith("http ")).split()[1]
    assert "Name one with --type: Order, str." in load.here("send", "load", "1", code=1)
    load.here("request", "load", '{"qty": 1}', "--type", "Order", code=1)
    load.here("send", "load", '{"qty": 7}', "--type", "Order")
    load.here("call", "load", "boom", code=1)
    for path in ("n", "b"):
        with pytest.raises(urllib.error.HTTPError) as told:
            urllib.request.urlopen(f"{url}/{path}")
        assert told.value.code == 500
        problem = json.loads(told.value.read())
        assert path != "n" or problem["detail"] == "f/load.n: the route declares int and returned str"
    assert urllib.request.urlopen(f"{url}/fine?which=i").read() == b"1"
    assert urllib.request.urlopen(f"{url}/fine?which=l").read() == b'["x"]'
    assert urllib.request.urlopen(f"{url}/fine").status == 204
    node.wait_for("parked after 3 attempts")
    lines = [json.loads(line) for line in node.said.splitlines() if line.startswith("{")]
    said = [line["text"].splitlines() for line in lines]
    wrong = next(text for text in said if "EncodeError" in text[0])
    assert wrong[0].startswith("f/load.on_order: parked after 1 attempt: EncodeError: the handler declares int and")
    assert wrong[1:] == ["load.py:14, in on_order: async def on_order(self, order: Order) -> int:"]
    seven = [text for text in said if "ValueError: seven" in text[0]]
    assert [text[0] for text in seven] == [
        "f/load.on_order: ValueError: seven",
        "f/load.on_order: ValueError: seven",
        "f/load.on_order: parked after 3 attempts: ValueError: seven (junctor trace 2)",
    ]
    first = [text[0] for text in said]
    assert "f/load.boom: KeyError: 'boom'" in first
    assert any(text.startswith("f/load.b: ZeroDivisionError: division by zero (session ") for text in first)
    assert any(text.startswith("f/load.n returned what cannot be sent: the route declares int") for text in first)
    assert "runtime/slots.py" not in node.said
    assert "load.py:14: EncodeError" in load.here("parked")
    assert "load.py:14, in on_order" in load.here("trace", "1")


def test_a_body_that_is_of_another_type_now_is_one_line(load: Junctor) -> None:
    node = load.start("run", *ANY_PORT, command=("-m", "junctor"))
    load.here("pause", "load")
    load.here("send", "load", '{"qty": 1}', "--type", "Order")
    load.here("stop")
    node.ends(0)
    (load.folder / "load.py").write_text(SERVICE.format(kind="list"))
    again = load.start("run", *ANY_PORT, command=("-m", "junctor"))
    load.here("resume", "load")
    again.wait_for("parked after")
    line = next(line for line in again.said.splitlines() if "parked after" in line)
    text = json.loads(line)["text"]
    assert text.startswith("f/load.on_order: parked after 1 attempt: DecodeError: Order.qty: the body is not a valid")
    assert text.count("\n") == 0 and text.count("on_order") == 1
    assert "Traceback" not in load.here("trace", "1", "-v")


def test_a_wrong_setting_is_told_by_reload_without_the_engine(load: Junctor) -> None:
    node = load.start("run", "--reload", *ANY_PORT, command=("-m", "junctor"))
    file = load.folder / "flow.yaml"
    file.write_text(file.read_text().replace("limit: 3", "limit: high"))
    node.wait_for("the code from before goes on")
    assert 'load.limit (flow.yaml:7): expected float, got "high"' in node.said
    assert "Traceback" not in node.said and "msgspec" not in node.said


def test_folders_and_files_that_are_not_there(load: Junctor) -> None:
    (load.folder / "empty").mkdir()
    (load.folder / "two").mkdir()
    for name in ("a.py", "b.py"):
        (load.folder / "two" / name).touch()
    cases = {
        "empty/": "there is neither flow.yaml nor a Python file in the folder. Write empty/flow.yaml",
        "two": "the folder has no flow.yaml, and several files. Name one: two/a.py, two/b.py",
        "nofolder/": "there is no such folder",
        "no/where.py": "there is no folder no",
        "lod.py": 'there is no such file. Did you mean "load.py"?',
        "emty/": 'there is no such folder. Did you mean "empty"?',
        "./nix": "there is no such file or folder",
    }
    for target, told in cases.items():
        assert told in load.here("run", target, code=78), target
        said = load.here("graph", target, code=78)
        assert told in said, target
    assert "Write empty/flow.yaml" in _checked(load, "empty/")


def _checked(junctor: Junctor, target: str) -> str:
    return junctor.here("check", target, code=78)


def test_without_a_target_it_is_this_folder(load: Junctor) -> None:
    assert "1 service" in load.here("check")
    assert "load" in load.here("graph")
    for command in ("run", "check", "graph", "apply"):
        assert f"junctor {command} [OPTIONS] [TARGET]..." in load.here(command, "--help")


def test_where_a_drawing_cannot_go(load: Junctor) -> None:
    (load.folder / "empty").mkdir()
    assert "-o no/x.svg: there is no folder no. Make it: mkdir -p no" in load.here("graph", "-o", "no/x.svg", code=1)
    assert "-o empty: this is a folder" in load.here("graph", "--svg", "-o", "empty", code=1)
    for name, what in {"x.xyz": 'the ending ".xyz" is not known', "x": "the name has no ending"}.items():
        told = load.here("graph", "-o", name, code=2)
        assert what in told and ".svg, .mmd" in told
        assert not (load.folder / name).exists()
    load.here("graph", "--json", "-o", "x.xyz")
    load.here("graph", "-o", "x.txt")
    assert "load" in (load.folder / "x.txt").read_text()
    if os.geteuid():
        (load.folder / "empty").chmod(0o500)
        assert "cannot be written" in load.here("graph", "-o", "empty/x.svg", code=1)


def test_names_that_nobody_has(load: Junctor) -> None:
    load.start("run", *ANY_PORT, command=("-m", "junctor"))
    load.here("call", "load", "boom", code=1)
    assert 'there is no service "lod". Did you mean "load"?' in load.here("logs", "--service", "lod", code=1)
    assert 'there is no service "lod". Did you mean "load"?' in load.here("messages", "--service", "lod", code=1)
    assert "None" not in load.here("messages", "--type", "Nope", code=1)
    assert 'there is no status "don"' in load.here("messages", "--status", "don", code=2)
    assert load.here("logs", "--service", "load", "--level", "critical") == ""


def test_a_script_with_a_wrong_setting_ends_with_its_line(load: Junctor) -> None:
    import subprocess
    import sys

    (load.folder / "s.py").write_text('from load import Load\nfrom junctor import run\nrun(Load(limit="x"))\n')
    done = subprocess.run([sys.executable, "s.py"], cwd=load.folder, env=load.env, capture_output=True, text=True)
    assert done.stderr.count("Traceback") == 1 and "msgspec" not in done.stderr
    assert done.stderr.rstrip().endswith('Load.limit: expected float, got "x". Give a number, for example 5.')


def test_a_loop_that_is_blocked_is_told_with_the_users_line_first(load: Junctor) -> None:
    file: Path = load.folder / "load.py"
    file.write_text(
        file.read_text().replace(
            "if order.qty == 7:", "if order.qty == 8:\n            time.sleep(3)\n        if order.qty == 7:"
        )
    )
    node = load.start("run", *ANY_PORT, command=("-m", "junctor"))
    load.here("send", "load", '{"qty": 8}', "--type", "Order")
    node.wait_for("is blocked for")
    until = time.monotonic() + 5
    while "time.sleep(3)" not in node.said and time.monotonic() < until:
        time.sleep(0.01)
    line = next(json.loads(line) for line in node.said.splitlines() if "is blocked for" in line)
    assert line["text"].splitlines()[1] == "load.py:16, in on_order: time.sleep(3)"
    assert "launch.py" not in line["text"]


def test_a_worker_tells_a_wrong_reply_as_the_node_does(load: Junctor) -> None:
    file = load.folder / "flow.yaml"
    file.write_text(file.read_text() + "    isolate: worker\n")
    node = load.start("run", *ANY_PORT, command=("-m", "junctor"))
    told = load.here("request", "load", '{"qty": 1}', "--type", "Order", code=1)
    assert "the handler declares int and returned str" in told
    node.wait_for("parked after 1 attempt")
    assert "load.py:14: EncodeError" in load.here("parked")
