"""Interoperability on Python: every block of its page, in one production, through the ``iop`` command and a Flask
front in a process of its own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.seeds.pages import blocks

PATIENCE = 30.0

# The blocks of the page follow each other in one program; what it uses and does not show stands here.
NAMES_OF_THE_FIRST_BLOCK = "from bo import MyRequest, MyResponse\n"
BESIDE_THE_PAGE = {
    "msg.py": """\
from dataclasses import dataclass
from iop import Message

@dataclass
class MyMessage(Message):
    message: str = None
""",
    "echo.py": """\
from iop import BusinessOperation
from msg import MyMessage

class Echo(BusinessOperation):
    def on_message(self, request: MyMessage):
        return MyMessage(message=f"echo of {request.message}")
""",
    "production.py": """\
import async_ng, bo, bp, echo, multi, native, poller, service

CLASSES = {
    "Python.MyBusinessOperation": bo.MyBusinessOperation,
    "Python.MyBusinessService": service.MyBusinessService,
    "Python.MyPoller": poller.MyBusinessService,
    "Python.MyBusinessProcess": bp.MyBusinessProcess,
    "Python.MyAsyncNGBP": async_ng.MyAsyncNGBP,
    "Python.MyBP": native.MyBP,
    "Python.MyMultiBP": multi.MyMultiBP,
    "Python.Echo": echo.Echo,
}

NAMES = [name for name in CLASSES if name != "Python.Echo"]

PRODUCTIONS = [
    {
        "Page.Production": {
            "@TestingEnabled": "true",
            "Item": [
                *({"@Name": name, "@ClassName": name} for name in NAMES),
                {"@Name": "Python.MyBO", "@ClassName": "Python.Echo"},
                {"@Name": "Python.MyMultiBO", "@ClassName": "Python.Echo"},
                {"@Name": "Python.MyAsyncNGBO", "@ClassName": "Python.Echo", "@PoolSize": "4"},
            ],
        }
    }
]
""",
}


class Project:
    """A folder with the page's files, and the commands that a user types there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name, text in {**blocks("iop"), **BESIDE_THE_PAGE}.items():
            lacks_names = "MyResponse(" in text and "class MyResponse" not in text
            (folder / name).write_text(NAMES_OF_THE_FIRST_BLOCK + text if lacks_names else text)

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONUNBUFFERED": "1", "COLUMNS": "200"}

    def iop(self, *words: str) -> str:
        command = [sys.executable, "-m", "iop", *words]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def test(self, target: str, **fields: str) -> dict[str, Any]:
        """What ``iop --test`` answers: the class and the body of the reply."""
        kind = "bo.MyRequest" if "request_string" in fields else "msg.MyMessage"
        answer = self.iop("--test", target, "-C", kind, "-B", json.dumps(fields))
        name, _, body = answer.partition("body:")
        return {"class": name.removeprefix("classname:").strip(), "body": json.loads(body or "null")}

    def logged(self, *texts: str) -> None:
        """Wait until each text is in the log."""
        until(lambda: all(text in self.iop("--log", "500") for text in texts), f"{texts} in the log")


def until(holds: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, f"not within {PATIENCE:g} s: {what}"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    made = Project(tmp_path_factory.mktemp("page"))
    assert "Python.MyBusinessOperation -> bo.MyBusinessOperation" in made.iop(
        "--migrate", str(made.folder / "setting.py")
    )
    made.iop("--migrate", "production.py")
    assert made.iop("--start", "Page.Production", "--detach") == "Production Page.Production started\n"
    yield made
    made.iop("--kill")


def test_an_operation_answers_with_its_response(project: Project) -> None:
    answer = project.test("Python.MyBusinessOperation", request_string="hello")
    assert answer == {"class": "bo.MyResponse", "body": {"my_string": "MyBusinessOperation:on_message() echos"}}
    project.logged(
        "[Python] MyBusinessOperation:on_init() is called",
        "[Python] MyBusinessOperation:on_message() is called with message: hello",
    )


def test_a_process_answers_with_its_response(project: Project) -> None:
    answer = project.test("Python.MyBusinessProcess", request_string="hello")
    assert answer["body"] == {"my_string": "MyBusinessProcess:on_message() echos"}


def test_a_service_with_the_adapter_of_the_engine_is_called_by_itself(project: Project) -> None:
    project.logged("[Python] MyBusinessService:on_process_input() is called")


def test_a_process_with_asyncio(project: Project) -> None:
    project.test("Python.MyAsyncNGBP", message="go")
    project.logged("Received response: echo of Message 0")


def test_a_process_with_send_request_async_and_callbacks(project: Project) -> None:
    project.test("Python.MyBP", message="go")
    project.logged("Received response one: echo of Message1", "Received response two: echo of Message2")


def test_a_process_with_send_multi_request_sync(project: Project) -> None:
    project.test("Python.MyMultiBP", message="go")
    project.logged(
        "All requests have been processed",
        "Received response: echo of Message1",
        "Received response: echo of Message2",
    )


@pytest.fixture
def front(project: Project) -> Iterator[str]:
    """The Flask application of the page, in a process of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "flask", "--app", "app", "run", "--port", str(port)]
    with subprocess.Popen(command, cwd=project.folder, env=project.environment, stderr=subprocess.PIPE) as flask:
        try:
            until(lambda: _listens(port), "Flask listens")
            yield f"http://127.0.0.1:{port}"
        finally:
            flask.kill()


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def post(url: str, body: Any) -> Any:
    data = json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        assert answer.headers["Content-Type"].startswith("application/json")
        return json.loads(answer.read())


def test_a_flask_application_calls_a_service(project: Project, front: str) -> None:
    answer = post(f"{front}/send_message", {"request_string": "from Flask"})
    assert answer == {"my_string": "MyBusinessService:on_process_input() echos"}
    project.logged("[Python] MyBusinessService:on_process_input() is called with message: from Flask")


def test_a_stop_tears_the_components_down(project: Project) -> None:
    project.iop("--stop")
    project.logged("[Python] MyBusinessOperation:on_teardown() is called")
    project.iop("--start", "Page.Production", "--detach")
