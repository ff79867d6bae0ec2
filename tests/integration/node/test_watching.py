"""Watching a node from the command line: its log, its figures, and what a shell completes."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.integration.node.conftest import PATIENCE, Junctor


def fill(junctor: Junctor) -> None:
    for value in (10, 95):
        junctor.here("call", "monitor", "measure", f"value={value}")
    junctor.here("send", "alarm", '{"sensor": "disk", "value": -1}', "--type", "Reading")
    until = time.monotonic() + PATIENCE
    while not junctor.json("parked"):
        assert time.monotonic() < until
        time.sleep(0.02)


def eventually(junctor: Junctor, text: str, *words: str) -> str:
    """What a command prints once it has the text: the log is written some milliseconds later."""
    until = time.monotonic() + PATIENCE
    while text not in (out := junctor.here(*words)):
        assert time.monotonic() < until, out
        time.sleep(0.02)
    return out


class Screen:
    """A command on a terminal of its own size."""

    def __init__(self, junctor: Junctor, *words: str, columns: int = 120, lines: int = 30) -> None:
        self.master, slave = pty.openpty()
        env = junctor.env | {"COLUMNS": str(columns), "LINES": str(lines), "TERM": "xterm"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "junctor", *words],
            cwd=junctor.folder,
            env=env,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        self.seen = ""

    def until(self, text: str) -> None:
        end = time.monotonic() + PATIENCE
        while text not in self.seen:
            assert time.monotonic() < end, f"{text!r} is not in:\n{self.seen}"
            ready, _, _ = select.select([self.master], [], [], 0.2)
            if ready:
                self.seen += os.read(self.master, 65536).decode(errors="replace")

    def ends(self) -> None:
        """Wait for its end. Somebody has to read what it writes, or it cannot."""
        end = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            assert time.monotonic() < end, self.seen
            if select.select([self.master], [], [], 0.05)[0]:
                with contextlib.suppress(OSError):
                    os.read(self.master, 65536)
        assert self.process.returncode == 0

    def anew(self) -> None:
        self.seen = ""

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.master)


# Logs ---------------------------------------------------------------------------------------------------------


def test_the_log_is_there_while_the_node_runs_and_afterwards(junctor: Junctor) -> None:
    node = junctor.start("machine.py", "--port", "0")
    fill(junctor)
    eventually(junctor, "negative", "logs")
    place = r"machine\.py:\d+"
    assert re.search(rf"{place}: Park: negative", junctor.here("parked"))
    number = str(junctor.json("parked")[0]["latest"])
    assert re.search(rf"\n +{place}, in on_reading: raise Park", junctor.here("trace", number, "--tree"))
    assert "judging cpu" in junctor.here("logs", "--service", "alarm", "--level", "info")
    assert "judging" not in junctor.here("logs", "--level", "warning")
    shown = junctor.here("logs", "--level", "warning")
    assert "\\x1b[31m" in shown and "\x1b" not in shown, "what a message says does not colour a terminal"
    lines = [json.loads(line) for line in junctor.here("logs", "--json", "--service", "machine/alarm").splitlines()]
    assert {line["service"] for line in lines} == {"machine/alarm"}
    session = next(line["session"] for line in lines if "judging disk" in line["text"])
    assert junctor.here("logs", "--session", session, "--json").count("judging disk") == 1
    assert "judging cpu" not in junctor.here("logs", "--session", session[-8:])
    assert junctor.here("logs", "-n", "1").count("\n") >= 1
    node.signal(signal.SIGTERM)
    node.ends(0)
    assert "stopping" in junctor.here("logs", "--since", "5m")
    log = junctor.folder / ".junctor" / "machine" / "log.jsonl"
    assert log.stat().st_mode & 0o777 == 0o600


def test_without_a_log_it_says_what_to_do(junctor: Junctor) -> None:
    assert "--node" in junctor.here("logs", code=1)


def test_a_log_is_followed_over_a_restart_of_the_node(junctor: Junctor) -> None:
    node = junctor.start("machine.py", "--port", "0")
    out = junctor.folder / "followed"
    with out.open("w") as file:
        follower = subprocess.Popen(
            [sys.executable, "-m", "junctor", "logs", "-f", "--service", "alarm"],
            cwd=junctor.folder,
            env=junctor.env,
            stdout=file,
        )
    try:
        junctor.here("call", "monitor", "measure", "value=1", "sensor=first")
        wait_for(out, "judging first")
        node.signal(signal.SIGKILL)
        node.process.wait()
        node = junctor.start("machine.py", "--port", "0")
        junctor.here("call", "monitor", "measure", "value=1", "sensor=second")
        wait_for(out, "judging second")
    finally:
        follower.send_signal(signal.SIGINT)
        assert follower.wait(PATIENCE) == 130
    assert out.read_text().count("judging") == 2


def wait_for(path: Path, text: str) -> None:
    until = time.monotonic() + PATIENCE
    while text not in path.read_text():
        assert time.monotonic() < until, path.read_text()
        time.sleep(0.02)


# Top ----------------------------------------------------------------------------------------------------------


def test_top_once_tells_rates_and_latencies(junctor: Junctor) -> None:
    junctor.start("machine.py", "--port", "0")
    fill(junctor)
    picture = json.loads(junctor.here("top", "--once", "--interval", "100ms", "--json"))
    (alarm,) = [row for row in picture["services"] if row["service"] == "alarm"]
    assert (alarm["state"], alarm["parked"], alarm["handled"]) == ("running", 1, 2)
    assert "negative" in alarm["error"]
    assert picture["node"]["rss"] > 1_000_000
    text = junctor.here("top", "--once", "--interval", "100ms", "--sort", "parked")
    assert text.splitlines()[3].startswith("alarm")
    assert "give 100ms to 1h" in junctor.here("top", "--interval", "1ms", code=2)


def test_top_on_a_terminal_sorts_lives_through_a_restart_and_ends_with_q(junctor: Junctor) -> None:
    node = junctor.start("machine.py", "--port", "0")
    fill(junctor)
    screen = Screen(junctor, "top", "--interval", "100ms")
    try:
        screen.until("p99")
        screen.until("negative")
        screen.type("\x1b[A")  # an arrow is none of its keys
        screen.type("p")
        screen.until("parkedv")
        screen.anew()
        node.signal(signal.SIGKILL)
        node.process.wait()
        screen.until("down: ")
        junctor.start("machine.py", "--port", "0")
        screen.anew()
        screen.until("running")
        screen.type("q")
        screen.ends()
    finally:
        screen.close()


def test_top_in_a_small_terminal(junctor: Junctor) -> None:
    junctor.start("machine.py", "--port", "0")
    screen = Screen(junctor, "top", "--interval", "100ms", columns=40, lines=8)
    try:
        screen.until("1 more below")
        assert "queued" in screen.seen and "retried" not in screen.seen
        screen.type("q")
        screen.ends()
    finally:
        screen.close()


def test_top_without_a_node(junctor: Junctor) -> None:
    assert "--node" in junctor.here("top", "--once", code=1)


# Completion ---------------------------------------------------------------------------------------------------


def completed(junctor: Junctor, line: str) -> list[str]:
    """What Junctor offers for a line with the cursor at its end, by click's protocol with the shells."""
    return _offered(junctor.here(**_asked(line)))


def _asked(line: str) -> dict[str, str]:
    words = line.split(" ")
    return {"_JUNCTOR_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}


def _offered(said: str) -> list[str]:
    return [answer.partition(",")[2] for answer in said.splitlines() if answer]


def test_completion_as_the_shell_asks_for_it(junctor: Junctor) -> None:
    assert _offered(junctor(**_asked("junctor pa"))) == ["parked", "pause"]


def test_completion_without_a_node(junctor: Junctor) -> None:
    assert completed(junctor, "junctor pa") == ["parked", "pause"]
    assert "--follow" in completed(junctor, "junctor logs --f")
    assert completed(junctor, "junctor call mo") == []
    assert completed(junctor, "junctor nothing mo") == []
    assert completed(junctor, "junctor logs --level w") == ["warning"]
    assert completed(junctor, "junctor messages --status e") == ["expired"]
    assert "parked" in completed(junctor, "junctor messages --status ")


def test_completion_of_what_runs(junctor: Junctor) -> None:
    junctor.start("machine.py", "--port", "0")
    assert completed(junctor, "junctor call mo") == ["monitor"]
    assert completed(junctor, "junctor call monitor ") == ["measure"]
    assert completed(junctor, "junctor call alarm c") == ["crash"]
    assert completed(junctor, "junctor logs --service ") == ["monitor", "alarm"]
    assert completed(junctor, "junctor top --node m") == ["machine"]


def test_completion_of_what_is_parked(junctor: Junctor) -> None:
    junctor.start("machine.py", "--port", "0")
    junctor.here("request", "alarm", '{"sensor": "cpu", "value": -1}', "--type", "Reading", code=1)
    (group,) = junctor.json("parked")
    place = group["fingerprint"][:8]
    assert completed(junctor, "junctor parked ") == [place]
    assert completed(junctor, f"junctor resend --group {place[:3]}") == [place]
    assert completed(junctor, "junctor discard --group ") == [place]
    assert completed(junctor, "junctor resend --group nothing") == []
    assert completed(junctor, "junctor resend --error ") == [group["error"]]


def test_completion_of_what_an_action_takes(junctor: Junctor) -> None:
    head = "from junctor import *\nclass Load(Service):\n    @action\n"
    code = f"{head}    def weigh(self, station: str, digits: int = 2): ...\n"
    (junctor.folder / "load.py").write_text(code)
    junctor.start("load.py", "--port", "0")
    assert completed(junctor, "junctor call load weigh ") == ["station=", "digits="]
    assert completed(junctor, "junctor call load weigh d") == ["digits="]
    assert completed(junctor, "junctor call load weigh station=a ") == ["digits="]
    assert completed(junctor, "junctor call load nothing ") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_scripts_are_those_of_the_shell(junctor: Junctor, shell: str) -> None:
    script = junctor.here("completion", shell)
    assert f"_JUNCTOR_COMPLETE={shell}_complete" in script
