"""Pip.Services: the listings of its first page as printed, corrected by ``junctor doctor --fix``, started and asked."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.seeds.pages import blocks

PATIENCE = 30.0
ROOT = Path(__file__).resolve().parents[2]


def environment() -> dict[str, str]:
    """The import paths of this checkout, installed or not."""
    paths = [str(ROOT / "src"), str(ROOT / "compat" / "pip_services3" / "src"), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


def doctor(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "junctor", "doctor", *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, env=environment())


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The listings, verbatim."""
    folder = tmp_path_factory.mktemp("page")
    for name, text in blocks("pip_services").items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture(scope="module")
def corrected(page: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corrected") / "hello"
    shutil.copytree(page, folder)
    done = doctor(folder, "--fix")
    assert done.returncode == 0, done
    return folder


class Terminal:
    """The terminal in which the microservice runs."""

    def __init__(self, folder: Path) -> None:
        self._out = folder / "terminal.txt"
        with self._out.open("w") as out:
            self.process = subprocess.Popen(
                [sys.executable, "./run.py"], cwd=folder, stdout=out, stderr=subprocess.STDOUT, env=environment()
            )

    def shows(self, text: str) -> None:
        end = time.monotonic() + PATIENCE
        while text not in self._out.read_text():
            assert time.monotonic() < end and self.process.poll() is None, self._out.read_text()
            time.sleep(0.02)

    @property
    def lines(self) -> list[str]:
        """What was printed, without the instants."""
        return re.sub(r":\d{4}-\d\d-\d\dT[\d:.]+Z\]", "]", self._out.read_text()).splitlines()


@pytest.fixture(scope="module")
def service(corrected: Path) -> Iterator[tuple[Terminal, str]]:
    with socket.socket() as free:  # the page's port may be in use on this machine
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = corrected / "config.yml"
    config.write_text(config.read_text().replace("8080", str(port)))
    opened = Terminal(corrected)
    try:
        opened.shows("Container hello-world started.")
        yield opened, f"http://localhost:{port}"
    finally:
        opened.process.kill()
        opened.process.wait()


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
        assert answer.headers["content-type"].startswith("application/json")
        return json.loads(answer.read())


def test_the_doctor_explains_each_error_of_the_page(page: Path) -> None:
    before = {path.name: path.read_bytes() for path in page.iterdir()}
    done = doctor(page, "--json")
    assert done.returncode == 1, done
    found = {(each["file"], each["line"], each["code"]) for each in json.loads(done.stdout)["findings"]}
    service, controller = "HelloWorldRestService.py", "HelloWorldController.py"
    assert found >= {
        (controller, 8, "missing-self"),
        (controller, 11, "missing-self"),
        (service, 1, "missing-import"),
        (service, 5, "base-route"),
        (service, 14, "undefined-route"),
        (service, 16, "handler-arguments"),
        (service, 18, "result-not-returned"),
        ("HelloWorldProcess.py", 11, "config-path"),
        ("config.yml", 4, "yaml-indent"),
        ("requirements.txt", 9, "unneeded-package"),
        ("requirements.txt", 10, "original-package"),
    }
    assert {path.name: path.read_bytes() for path in page.iterdir()} == before
    told = doctor(page).stdout
    assert "    14  HelloWorldRestService has no self._route" in told
    assert '        +         self.register_route(method="GET", route="/greeting", handler=self.greeting' in told


def test_the_corrections_can_be_undone_and_come_once(page: Path, corrected: Path) -> None:
    for original in corrected.glob("*.orig"):
        assert original.read_bytes() == (page / original.stem).read_bytes()
    assert not (corrected / "run.py.orig").exists()
    again = doctor(corrected, "--fix")
    assert (again.returncode, again.stdout) == (0, "Nothing wrong was found (Pip.Services).\n")


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_what_is_shown_is_a_patch_that_git_takes(page: Path, tmp_path: Path) -> None:
    folders = [tmp_path / "shown", tmp_path / "patched"]
    for folder in folders:
        shutil.copytree(page, folder)
        (folder / "last.py").write_text("class A:\n    def configure(config): ...")
    patch = doctor(folders[0], "--fix").stdout
    subprocess.run(["git", "apply", "-q"], input=patch, text=True, cwd=folders[1], check=True, timeout=60)
    for path in folders[1].iterdir():
        assert path.read_bytes() == (folders[0] / path.name).read_bytes()


def test_the_page_from_its_first_line_to_its_last(service: tuple[Terminal, str]) -> None:
    terminal, url = service
    assert get(f"{url}/hello_world/greeting?name=John") == {"name": "Hello, John !"}
    assert get(f"{url}/hello_world/greeting") == {"name": "Hello, World !"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", get(f"{url}/heartbeat"))
    status = get(f"{url}/status")
    assert (status["name"], status["description"]) == ("hello-world", "HelloWorld microservice")
    assert "hello-world:controller:default:default:1.0" in status["components"]
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.process.wait(PATIENCE) == 0
    at = url.replace("localhost", "0.0.0.0")
    printed = [line for line in terminal.lines if line.startswith(("run", "[hello-world:")) and "WARN" not in line]
    assert printed == [
        "run",
        "[hello-world:INFO] Press Control-C to stop the microservice...",
        f"[hello-world:DEBUG] Opened REST service at {at}",
        "[hello-world:INFO] Container hello-world started.",
        "[hello-world:INFO] Goodbye!",
        "[hello-world:TRACE] Stopping hello-world container",
        f"[hello-world:DEBUG] Closed REST service at {at}",
        "[hello-world:INFO] Container hello-world stopped",
    ]


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "flow.py").write_text("print(1)\n")
    done = doctor(tmp_path)
    assert done.returncode == 78
    assert "this is no project of microServiceBus, Pip.Services or Service Factory" in done.stderr
