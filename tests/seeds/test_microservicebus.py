"""microServiceBus: every block of its two pages as written, from a file that ``junctor run`` is given and in a flow;
the one with a syntax error corrected by ``junctor doctor``."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.seeds.pages import blocks
from tests.servers.index import Index

PATIENCE = 30.0
ROOT = Path(__file__).resolve().parents[2]
BLOCKS = blocks("microservicebus")

# Where the pages say that a block belongs, and what it is to be seen by.
CALLS = """\
import asyncio
from base_service import CustomService

class Page(CustomService):
    async def Start(self):
{get_settings}
        self.printf(f"the node is {{self.nodeName}}")
{GetPropertyValue}
        self.printf(f"the pin is {{self.pin}}")
{SubmitAction}
{Debug}
{Warning}
{ThrowError}
{SubmitMessage}
{printf}
{emailhandler}
{reading}
{hello}
{MyOtherService}
{AddPipPackage}
        self.printf(f"the client is {{MqttClient.__module__}}.{{MqttClient.__name__}}")
        while True:
            await asyncio.sleep(1)
"""
BESIDE = {
    "someService.py": ("someService", "some_method"),
    "EmailHandler.py": ("EmailHandler", "Process"),
    "MyOtherService.py": ("MyOtherService", "Process"),
}
SERVICE = """\
from base_service import CustomService

class {name}(CustomService):
    async def {action}(self, message):
        self.printf(f"{name} got {{message.message[0]}} from {{message.source}}")
"""
FLOW = """\
flow: page
services:
  page: {class: Page.py:Page, settings: {static: {gpio_pin: 4}}}
  someservice: {class: someService.py:someService}
  emailhandler: {class: EmailHandler.py:EmailHandler}
  myotherservice: {class: MyOtherService.py:MyOtherService}
"""


def environment(**more: str) -> dict[str, str]:
    """The import paths of this checkout, installed or not."""
    paths = [str(ROOT / "src"), str(ROOT / "compat" / "microservicebus" / "src"), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), **more}


def junctor(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "junctor", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, env=environment())


class Terminal:
    """The terminal in which a node runs."""

    def __init__(self, folder: Path, *words: str, **more: str) -> None:
        self._out = folder / "terminal.txt"
        command = [sys.executable, "-m", "junctor", "run", *words, "--port", "0"]
        with self._out.open("w") as out:
            self.process = subprocess.Popen(
                command, cwd=folder, stdout=out, stderr=subprocess.STDOUT, env=environment(**more)
            )

    @property
    def lines(self) -> list[tuple[str, str, str]]:
        """Level, service and text of each line of the log."""
        found = [line for line in self._out.read_text().splitlines() if line.startswith("{") and line.endswith("}")]
        told: list[dict[str, Any]] = [json.loads(line) for line in found]
        return [(each["level"], each.get("service", ""), each["text"]) for each in told]

    def shows(self, level: str, service: str, text: str) -> None:
        end = time.monotonic() + PATIENCE
        while (level, service, text) not in self.lines:
            assert time.monotonic() < end and self.process.poll() is None, self._out.read_text()
            time.sleep(0.02)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


def calls() -> str:
    """The service that has the blocks without a class."""
    return CALLS.format(**{name: textwrap.indent(textwrap.dedent(text), " " * 8) for name, text in BLOCKS.items()})


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    (folder / "Page.py").write_text(calls())
    (folder / "flow.yaml").write_text(FLOW)
    for file, (name, action) in BESIDE.items():
        (folder / file).write_text(SERVICE.format(name=name, action=action))
    return folder


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Any]:
    opened: list[Terminal] = []

    def open_it(folder: Path, *words: str, **more: str) -> Terminal:
        opened.append(Terminal(folder, *words, **more))
        return opened[-1]

    yield open_it
    for each in opened:
        each.close()


def test_the_template_runs_from_its_file(tmp_path: Path, terminal: Any) -> None:
    (tmp_path / "YOUR_SERVICE_NAME.py").write_text(BLOCKS["YOUR_SERVICE_NAME.py"])
    node = terminal(tmp_path, "YOUR_SERVICE_NAME.py")
    service = found(node, "Started")
    assert node.stop() == 0
    assert ("info", service, "Stopped") in node.lines


def found(node: Terminal, text: str) -> str:
    """The service that has written a line."""
    end = time.monotonic() + PATIENCE
    while not (names := [name for _, name, each in node.lines if each == text]):
        assert time.monotonic() < end and node.process.poll() is None, node.lines
        time.sleep(0.02)
    return names[0]


def test_the_template_under_the_name_of_its_file_only(tmp_path: Path) -> None:
    (tmp_path / "ReadGPIO.py").write_text(BLOCKS["YOUR_SERVICE_NAME.py"])
    done = junctor(tmp_path, "check", "ReadGPIO.py")
    assert done.returncode == 78
    assert "the class in ReadGPIO.py is called YOUR_SERVICE_NAME" in done.stdout


def test_check_names_the_line_and_what_it_should_be(page: Path) -> None:
    line = 1 + calls().splitlines().index(
        '        await self.SubmitAction("someService_py", "some_method", {"id": 42}})'
    )
    done = junctor(page, "check")
    assert done.returncode == 78
    assert "SyntaxError" in done.stdout and f"Page.py:{line}" in done.stdout, done.stdout
    assert 'Write `await self.SubmitAction("someService_py", "some_method", {"id": 42})`.' in done.stdout
    told = junctor(page, "doctor")
    assert told.returncode == 1
    assert f'  {line:>4}  there is a "}}" too many' in told.stdout, told.stdout


@pytest.fixture(scope="module")
def corrected(page: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corrected")
    for path in filter(Path.is_file, page.iterdir()):
        (folder / path.name).write_bytes(path.read_bytes())
    done = junctor(folder, "doctor", "--fix")
    assert done.returncode == 0, done
    before, after = calls().splitlines(), (folder / "Page.py").read_text().splitlines()
    assert [(old, new) for old, new in zip(before, after, strict=True) if old != new] == [
        (
            '        await self.SubmitAction("someService_py", "some_method", {"id": 42}})',
            '        await self.SubmitAction("someService_py", "some_method", {"id": 42})',
        )
    ]
    assert junctor(folder, "check").returncode == 0
    return folder


def test_every_call_of_the_pages(corrected: Path, tmp_path: Path, terminal: Any) -> None:
    index = Index(tmp_path / "index")
    index.add("paho-mqtt", "2.2.0", module="paho")  # asked only where the package is missing
    node = terminal(corrected, **index.environment)
    own = "page/page"
    node.shows("info", "page/someservice", "someService got {'id': 42} from page_py")
    mail = {"to": "foo@bar.com", "subject": "Hello", "body": "...from foo"}
    reading = {"ts": "2021-01-01 01:01:01", "temperature": 22}
    node.shows("info", "page/emailhandler", f"EmailHandler got {mail} from page_py")
    node.shows("info", "page/myotherservice", f"MyOtherService got {reading} from page_py")
    node.shows("info", own, "the client is paho.mqtt.client.Client")
    lines = node.lines
    assert {("info", own, text) for text in ("the pin is 4", "Started", "Hello world", "Hello from Python")} <= {*lines}
    assert [each[0] for each in lines if each[1:] == (own, "Started")] == ["info", "warning", "error", "error"]
    assert any(each[1] == own and each[2].startswith("the node is ") for each in lines)
    sent = [each[2] for each in lines if each[1] == "page/com" and "temperature" in each[2]]
    assert sent and json.loads(sent[0][sent[0].index("{") :]) == reading
    assert node.stop() == 0


def test_the_state_of_the_page_is_json() -> None:
    assert json.loads("{" + BLOCKS["msb-state"].rstrip().rstrip(",") + "}") == {
        "msb-state": {"enabled": True, "debug": False}
    }
