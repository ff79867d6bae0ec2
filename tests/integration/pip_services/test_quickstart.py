"""The first microservice as a process: its console, its requests, each way in which it ends or cannot begin."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from junctor.flows.dialects import dialect_names

PATIENCE = 30.0
ROOT = Path(__file__).parents[3]
_FOLDERS = [str(ROOT / "compat" / "pip_services3" / "src"), str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]
PATHS = os.pathsep.join(filter(None, _FOLDERS))
"""The import paths of this checkout, installed or not."""

CONTROLLER = """\
class HelloWorldController:
    __default_name = None

    def __init__(self):
        self.__default_name = "Pip User"

    def configure(self, config):
        self.__default_name = config.get_as_string_with_default("default_name", self.__default_name)

    def greeting(self, name):
        return f"Hello, {name if name is not None else self.__default_name} !"
"""
REST = """\
from pip_services3_commons.refer import Descriptor
from pip_services3_rpc.services import RestService


class HelloWorldRestService(RestService):
    def __init__(self):
        super(HelloWorldRestService, self).__init__()
        self._base_route = "/hello_world"
        self._dependency_resolver.put('controller', Descriptor('hello-world', 'controller', '*', '*', '1.0'))

    def set_references(self, references):
        super(HelloWorldRestService, self).set_references(references)
        self._controller = self._dependency_resolver.get_one_required('controller')

    def register(self):
        self.register_route(method="GET", route="/greeting", handler=self.greeting, schema=None)

    def greeting(self, name):
        return self.send_result(self._controller.greeting(name))
"""
FACTORY = """\
import time

from HelloWorldController import HelloWorldController
from HelloWorldRestService import HelloWorldRestService
from pip_services3_commons.refer import Descriptor
from pip_services3_components.build import Factory


class Broken:
    def __init__(self):
        self.limit = {}["limit"]


class Closed:
    def open(self, correlation_id):
        raise OSError("no database")

    def close(self, correlation_id):
        print("never opened")


class Slow:
    def open(self, correlation_id):
        pass

    def close(self, correlation_id):
        time.sleep(1.2)
        print("closed in the end")


class HelloWorldServiceFactory(Factory):
    def __init__(self):
        super(HelloWorldServiceFactory, self).__init__()
        for kind, cls in (('controller', HelloWorldController), ('service', HelloWorldRestService),
                          ('broken', Broken), ('closed', Closed), ('slow', Slow)):
            self.register_as_type(Descriptor('hello-world', kind, '*', '*', '1.0'), cls)
"""
PROCESS = """\
from HelloWorldServiceFactory import HelloWorldServiceFactory
from pip_services3_container.ProcessContainer import ProcessContainer
from pip_services3_rpc.build import DefaultRpcFactory


class HelloWorldProcess(ProcessContainer):
    def __init__(self):
        super(HelloWorldProcess, self).__init__('hello-world', 'HelloWorld microservice')
        self._config_path = './config.yml'
        self._factories.add(HelloWorldServiceFactory())
        self._factories.add(DefaultRpcFactory())
"""
RUN = """\
from HelloWorldProcess import HelloWorldProcess

if __name__ == '__main__':
    runner = HelloWorldProcess()
    print("run")
    try:
        runner.run()
    except Exception as ex:
        print(ex)
"""
CONFIG = """\
---
- descriptor: "pip-services:context-info:default:default:1.0"
  name: "hello-world"
- descriptor: "pip-services:logger:console:default:1.0"
  level: "trace"
- descriptor: "pip-services:counters:log:default:1.0"
- descriptor: "hello-world:controller:default:default:1.0"
  default_name: "World"
- descriptor: "pip-services:endpoint:http:default:1.0"
  connection:
    protocol: http
    host: {{HOST}}{{#unless HOST}}127.0.0.1{{/unless}}
    port: %(port)d
- descriptor: "hello-world:service:http:default:1.0"
- descriptor: "pip-services:heartbeat-service:http:default:1.0"
- descriptor: "pip-services:status-service:http:default:1.0"
{{#if MORE}}- descriptor: "{{MORE}}"{{/if}}
"""
FILES = {
    "HelloWorldController.py": CONTROLLER,
    "HelloWorldRestService.py": REST,
    "HelloWorldServiceFactory.py": FACTORY,
    "HelloWorldProcess.py": PROCESS,
    "run.py": RUN,
}


class Project:
    """The files of the tutorial in a folder, and a process of them."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        for name, text in FILES.items():
            (folder / name).write_text(text)
        (folder / "config.yml").write_text(CONFIG % {"port": port})
        self.out, self.err = folder / "out.txt", folder / "err.txt"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *words: str, program: tuple[str, ...] = ("run.py",), **environment: str) -> Project:
        with self.out.open("w") as out, self.err.open("w") as err:
            self.process = subprocess.Popen(
                [sys.executable, *program, *words],
                cwd=self.folder,
                env={**os.environ, "PYTHONPATH": PATHS, **environment},
                stdout=out,
                stderr=err,
            )
        return self

    def said(self, text: str) -> None:
        """Wait for a text in what it says."""
        end = time.monotonic() + PATIENCE
        while text not in self.out.read_text():
            assert time.monotonic() < end, f"no {text!r} in:\n{self.out.read_text()}\n{self.err.read_text()}"
            assert self.process is not None
            assert self.process.poll() is None or text in self.out.read_text(), self.err.read_text()
            time.sleep(0.02)

    def running(self, **environment: str) -> Project:
        self.start(**environment).said("Container hello-world started.")
        return self

    def ended(self) -> int:
        assert self.process is not None
        return self.process.wait(PATIENCE)

    def get(self, path: str) -> tuple[int, object]:
        try:
            with urllib.request.urlopen(f"http://localhost:{self.port}{path}", timeout=PATIENCE) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())

    @property
    def lines(self) -> list[str]:
        """What it said on standard output, times left out."""
        return re.sub(r":\d{4}-\d\d-\d\dT[\d:.]+Z\]", "]", self.out.read_text()).splitlines()


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        found: int = free.getsockname()[1]
        return found


@pytest.fixture
def project(tmp_path: Path, port: int) -> Iterator[Project]:
    made = Project(tmp_path, port)
    try:
        yield made
    finally:
        if made.process is not None:
            made.process.kill()
            made.process.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_console_of_the_page(project: Project, number: signal.Signals) -> None:
    project.running()
    assert project.get("/hello_world/greeting?name=John") == (200, "Hello, John !")
    assert project.get("/hello_world/greeting") == (200, "Hello, World !")
    assert project.process is not None
    project.process.send_signal(number)
    assert project.ended() == 0
    assert project.lines == [
        "run",
        "[hello-world:INFO] Press Control-C to stop the microservice...",
        f"[hello-world:DEBUG] Opened REST service at http://127.0.0.1:{project.port}",
        "[hello-world:INFO] Container hello-world started.",
        "[hello-world:INFO] Goodbye!",
        "[hello-world:TRACE] Stopping hello-world container",
        f"[hello-world:DEBUG] Closed REST service at http://127.0.0.1:{project.port}",
        "[hello-world:INFO] Container hello-world stopped",
    ]
    assert project.err.read_text() == ""


def test_components_are_seen_and_a_host_for_all_is_announced(project: Project) -> None:
    project.running(HOST="0.0.0.0")
    assert project.get("/heartbeat")[0] == project.get("/status")[0] == 200
    status, answer = project.get("/hello_word/greeting")
    assert status == 404 and "did you mean /hello_world/greeting?" in str(answer)
    command = [sys.executable, "-m", "junctor", "status", "--json"]
    environment = {**os.environ, "PYTHONPATH": PATHS}
    told = subprocess.run(command, cwd=project.folder, env=environment, capture_output=True, text=True, check=True)
    for name in ("container", "hello-world-controller", "endpoint-http", "hello-world-service-http"):
        assert f'"hello-world/{name}"' in told.stdout or f'"{name}"' in told.stdout
    assert f"listens on 0.0.0.0:{project.port}" in project.err.read_text()


def test_a_port_in_use_ends_it(project: Project) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", project.port))
        other.listen()
        assert project.start().ended() == 70
    assert f"port {project.port} is in use" in (told := project.err.read_text())
    assert "Give the endpoint another port in the configuration file" in told
    assert "Container hello-world started." not in project.out.read_text()


@pytest.mark.parametrize(
    ("more", "code", "told"),
    [
        ("nobody:knows:this:one:1.0", 78, "Cannot locate reference: nobody:knows:this:one:1.0"),
        ("hello-world:broken:a:b:1.0", 70, "HelloWorldServiceFactory.py:11, in __init__"),
        ("hello-world:closed:a:b:1.0", 70, "no database (in open of hello-world:closed:a:b:1.0)"),
        ("{{", 78, "config.yml"),
    ],
)
def test_what_cannot_start_says_why_and_ends(project: Project, more: str, code: int, told: str) -> None:
    if more == "{{":
        (project.folder / "config.yml").write_text("- descriptor: {{HOST\n")
    assert project.start(MORE=more).ended() == code
    assert told in project.err.read_text()
    assert "[hello-world:FATAL:" in project.err.read_text()
    assert "restart in" not in project.err.read_text() and "never opened" not in project.out.read_text()


def test_components_have_the_time_they_need_to_close(project: Project) -> None:
    project.running(MORE="hello-world:slow:a:b:1.0")
    assert project.process is not None
    project.process.send_signal(signal.SIGTERM)
    assert project.ended() == 0
    assert "closed in the end" in project.lines


def test_a_second_process_says_that_the_first_one_has_the_folder(project: Project) -> None:
    project.running()
    second = subprocess.run(
        [sys.executable, "run.py"],
        cwd=project.folder,
        env={**os.environ, "PYTHONPATH": PATHS},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert second.returncode == 70
    assert "the store is in use" in second.stderr and "JUNCTOR_STORE" in second.stderr


def test_a_missing_file_is_no_success(project: Project) -> None:
    (project.folder / "config.yml").unlink()
    assert project.start().ended() == 78
    assert "Config file was not found at ./config.yml" in project.err.read_text()


@pytest.mark.skipif("pip-services" not in dialect_names(), reason="Junctor was installed before it had this dialect")
def test_junctor_runs_the_file_of_the_process(project: Project) -> None:
    project.start(program=("-m", "junctor", "run", "HelloWorldProcess.py"))
    project.said("Container hello-world started.")
    assert project.get("/hello_world/greeting?name=John") == (200, "Hello, John !")
