"""A program of Service Factory as a process: its output, its actions over HTTP, each way in which it ends."""

from __future__ import annotations

import concurrent.futures
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from junctor.dialects.servicefactory.token import TOKEN_HEADER

PATIENCE = 30.0
PROGRAM = """\
import os, time
from junctor.dialects.servicefactory import Service

@Service.API.endpoint(port=%(port)d)
class Test(Service.base):
    def __init__(self):
        self.log("set up")

    def loop(self):
        self.log("looping...")
        time.sleep(float(os.environ.get("LOOP", "60")))
        if "FAIL" in os.environ:
            raise OSError("no sensor")

    def finalize(self):
        self.log("finalizing...")

    @Service.API.handle("action")
    def act(self, data):
        print("handling", data)

    @Service.API.handle("echo")
    def echo(self, data):
        return data

    @Service.API.handle("facts")
    def facts(self, data):
        return {"bytes": len(data)}

    @Service.API.handle("broken")
    def broken(self, data):
        raise ValueError("the secret of the house")

    @Service.API.handle("slow")
    def slow(self, data):
        time.sleep(0.5)
        return "slow"

if __name__ == "__main__":
    Test().run()
"""


class Program:
    """A running program and its output so far."""

    def __init__(self, folder: Path, port: int, **environment: str) -> None:
        self.folder, self.port = folder, port
        (folder / "program.py").write_text(PROGRAM % {"port": port})
        home = {"XDG_STATE_HOME": str(folder / "state"), "PYTHONUNBUFFERED": "1"}
        self.environment = {**os.environ, **home, **environment}
        self.out = folder / "out.txt"
        with self.out.open("w") as out:
            command = [sys.executable, "program.py"]
            self.process = subprocess.Popen(
                command, cwd=folder, env=self.environment, stdout=out, stderr=subprocess.STDOUT
            )

    def said(self, text: str) -> None:
        """Wait for a line."""
        end = time.monotonic() + PATIENCE
        while text not in self.out.read_text().splitlines():
            assert time.monotonic() < end, f"no {text!r} in:\n{self.out.read_text()}"
            time.sleep(0.02)

    def ask(self, action: str, body: bytes | None = None, method: str | None = None, **headers: str) -> tuple[int, str]:
        url = f"http://localhost:{self.port}/{action}"
        request = urllib.request.Request(url, body, {k.replace("_", "-"): v for k, v in headers.items()}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def perform(self, *words: str) -> str:
        code = "import program, sys; r = program.Test.perform(*sys.argv[1:]); print(r.status_code, r.text)"
        command = [sys.executable, "-c", code, *words]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=60
        )
        return done.stdout.strip() or done.stderr.strip().splitlines()[-1]

    def end(self) -> int:
        return self.process.wait(PATIENCE)

    @property
    def lines(self) -> list[str]:
        return self.out.read_text().splitlines()


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        found: int = free.getsockname()[1]
        return found


@pytest.fixture
def program(tmp_path: Path, port: int) -> Iterator[Program]:
    running = Program(tmp_path, port)
    try:
        running.said("Test : looping...")
        yield running
    finally:
        running.process.kill()
        running.process.wait()


def test_actions_over_http(program: Program) -> None:
    assert program.ask("action", b'"hello world"', Content_Type="application/json") == (200, "ok")
    program.said("handling b'hello world'")
    assert program.ask("echo", b'{"a": 1}') == (200, '{"a": 1}')
    assert program.ask("echo", b'"not closed') == (200, '"not closed')
    assert program.ask("facts", b"12345") == (200, '{"bytes":5}')
    assert program.ask("echo") == (200, "")
    assert program.ask("echo", b"put", "PUT") == (200, "put")


def test_what_is_wrong_is_never_ok(program: Program) -> None:
    assert program.ask("nothing", b"x")[0] == 404
    status, text = program.ask("broken", b"x")
    assert status == 500 and "secret" not in text
    with socket.create_connection(("127.0.0.1", program.port)) as client:
        client.sendall(b"POST /action HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999999\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 413")


def test_many_actions_at_a_time_while_the_loop_blocks(program: Program) -> None:
    begin = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: program.ask("slow"), range(20)))
    assert answers == [(200, "slow")] * 20
    assert time.monotonic() - begin < 20 * 0.5


def test_perform_from_another_process(program: Program) -> None:
    assert program.perform("action", "hello world") == "200 ok"
    program.said("handling b'hello world'")
    assert program.perform("echo") == "200"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_the_middle_of_the_loop(program: Program, number: signal.Signals) -> None:
    program.process.send_signal(number)
    assert program.end() == 0
    assert program.lines == [
        "Test : set up",
        "Test : looping...",
        "Test : shutdown requested",
        "Test : finalizing...",
    ]


def test_shutdown_needs_the_token_of_the_service(tmp_path: Path, port: int) -> None:
    program = Program(tmp_path, port, LOOP="0.2")
    program.said("Test : looping...")
    for given in ({}, {TOKEN_HEADER.replace("-", "_"): "wrong"}):
        status, text = program.ask("shutdown", **given)
        assert status == 401 and "needs the token" in text
    (file,) = (tmp_path / "state").glob("junctor/servicefactory/*")
    assert file.stat().st_mode & 0o777 == 0o600 and file.name == str(port)
    assert program.perform("shutdown") == "200 ok"
    assert program.end() == 0
    assert program.lines[-2:] == ["Test : shutdown requested", "Test : finalizing..."]
    assert not file.exists()


def test_a_token_that_others_can_read_is_none(program: Program) -> None:
    (file,) = (program.folder / "state").glob("junctor/servicefactory/*")
    file.chmod(0o644)
    assert program.perform("shutdown").startswith("401")


def test_perform_where_nothing_runs(tmp_path: Path, port: int) -> None:
    program = Program(tmp_path, port)
    program.process.kill()
    program.process.wait()
    assert "no service answers on port" in program.perform("action")


def test_a_loop_that_fails_goes_on(tmp_path: Path, port: int) -> None:
    program = Program(tmp_path, port, LOOP="0", FAIL="1")
    end = time.monotonic() + PATIENCE
    while program.lines.count("Test : looping...") < 2:
        assert time.monotonic() < end, program.lines
        time.sleep(0.05)
    assert any("OSError" in line and "no sensor" in line for line in program.lines)
    assert program.ask("echo", b"still here") == (200, "still here")
    program.process.send_signal(signal.SIGINT)
    assert program.end() == 0
    assert program.lines.count("Test : finalizing...") == 1 == program.lines.count("Test : set up")


def test_a_port_that_is_taken(tmp_path: Path, port: int) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        program = Program(tmp_path, port)
        assert program.end() == 70
    assert f"port {port} is in use" in program.out.read_text()
    assert "Test : finalizing..." not in program.lines


def test_an_interruption_at_any_moment_of_the_start(tmp_path: Path, port: int) -> None:
    for step in range(6):
        program = Program(tmp_path, port)
        program.said("Test : set up") if step else None
        time.sleep(step * 0.05)
        program.process.send_signal(signal.SIGINT)
        code = program.end()
        # before run() takes the signals, Ctrl-C is Python's own business
        early = not any("running.py" in line or "in run" in line for line in program.lines)
        assert code in (0, 130) or (code in (-2, 1) and early), program.out.read_text()


def test_junctor_run_hosts_the_same_file(tmp_path: Path, port: int) -> None:
    (tmp_path / "program.py").write_text(PROGRAM % {"port": port})
    environment: dict[str, Any] = {**os.environ, "XDG_STATE_HOME": str(tmp_path / "state"), "LOOP": "0.1"}
    command = [sys.executable, "-m", "junctor", "run", "program.py"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as node:
        assert node.stdout is not None
        for line in node.stdout:
            if line.startswith("stop with"):
                break
        url = f"http://localhost:{port}/facts"
        with urllib.request.urlopen(url, b"123", timeout=PATIENCE) as answer:
            assert answer.read() == b'{"bytes":3}'
        node.send_signal(signal.SIGINT)
        assert node.wait(PATIENCE) == 0
