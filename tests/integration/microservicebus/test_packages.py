"""AddPipPackage in a node: what goes on meanwhile, a node that is killed, an index that is away."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from junctor import Flow
from junctor.core.policy import HoldPolicy
from junctor.dialects.microservicebus import CustomService, QueueMessage
from junctor.dialects.microservicebus.packages import Folder, PackageError
from tests.integration.microservicebus.services import PATIENCE, Notes, receiver
from tests.servers.index import Index

ROOT = Path(__file__).resolve().parents[3]


class Server:
    """An index behind HTTP whose wheels come when ``gate`` is open; ``asked`` is set when one is asked for."""

    def __init__(self, index: Index) -> None:
        self.gate, self.asked = threading.Event(), threading.Event()
        served = self

        class Handler(SimpleHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path.endswith(".whl"):
                    served.asked.set()
                    served.gate.wait(PATIENCE)
                super().do_GET()

            def log_message(self, *args: Any) -> None: ...

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(index.folder)))
        self._http.daemon_threads = True
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{self._http.server_address[1]}"
        self.environment = {**index.environment, "UV_FIND_LINKS": f"{address}/", "UV_HTTP_RETRIES": "0"}

    def close(self) -> None:
        self.gate.set()
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    path = list(sys.path)
    yield Index(tmp_path / "index")
    sys.path[:] = path


@pytest.fixture
def server(index: Index) -> Iterator[Server]:
    made = Server(index)
    yield made
    made.close()


def installer(notes: Notes, package: str, module: str) -> type[CustomService]:
    class Installer(CustomService):
        async def Start(self) -> None:
            try:
                notes.note(self.AddPipPackage(package, module, "VERSION"))
            except PackageError as error:
                notes.note(type(error).__name__)
                raise

        async def Process(self, message: QueueMessage) -> None:
            notes.note(message.message[0])

    return Installer


async def test_other_services_go_on_while_one_installs(
    index: Index, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    index.add("jn-slow", "1.0")
    own, others = Notes(), Notes()

    class Ticker(CustomService):
        async def Start(self) -> None:
            await asyncio.to_thread(server.asked.wait, PATIENCE)
            for number in range(50):
                await self.SubmitAction("other", "Process", number)
            await self.SubmitAction("installer", "Process", "meanwhile")

    flow = Flow("f").add(installer(own, "jn-slow", "jn_slow")).add(Ticker).add(receiver(others, "Other"))
    async with flow.running(transport="memory"):
        await others.count(50)
        await own.until(lambda notes: "meanwhile" in notes)
        assert list(own) == ["meanwhile"]
        server.gate.set()
        await own.until(lambda notes: "1.0" in notes)


async def test_an_index_that_is_away_is_waited_for(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    away = {**index.environment, "UV_DEFAULT_INDEX": "http://127.0.0.1:1/", "UV_HTTP_RETRIES": "0"}
    for name, value in away.items():
        monkeypatch.setenv(name, value)
    index.add("jn-away", "1.0")
    monkeypatch.setenv("UV_FIND_LINKS", "")
    notes = Notes()
    flow = Flow("f").add(installer(notes, "jn-away", "jn_away"), hold=HoldPolicy(initial=0.05, factor=1.0))
    async with flow.running(transport="memory"):
        await notes.count(7)  # more failures than a service may have
        monkeypatch.setenv("UV_DEFAULT_INDEX", index.environment["UV_DEFAULT_INDEX"])
        monkeypatch.setenv("UV_FIND_LINKS", str(index.folder))
        await notes.until(lambda found: "1.0" in found)
    assert set(notes) == {"IndexAway", "1.0"}


async def test_a_node_that_stops_gives_up(
    index: Index, server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    index.add("jn-never", "1.0")
    notes = Notes()
    async with Flow("f").add(installer(notes, "jn-never", "jn_never")).running(store=tmp_path / "node"):
        assert await asyncio.to_thread(server.asked.wait, PATIENCE)
    assert "left behind" not in caplog.text
    assert list(notes) == ["PackageError"]
    assert [path.name for path in Folder(tmp_path / "node").path("x").parents[1].iterdir()] == [".lock"]


PROGRAM = """\
from base_service import CustomService

class Installer(CustomService):
    async def Start(self):
        self.printf("it is " + self.AddPipPackage("jn-killed", "jn_killed", "VERSION"))
"""


def started(folder: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    paths = [str(ROOT / "src"), str(ROOT / "compat" / "microservicebus" / "src")]
    with (folder / "terminal.txt").open("wb") as out:
        return subprocess.Popen(
            [sys.executable, "-m", "junctor", "run", "Installer.py", "--port", "0"],
            cwd=folder,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), **environment},
        )


def test_a_node_that_is_killed_meanwhile_leaves_no_half_package(index: Index, server: Server, tmp_path: Path) -> None:
    folder = tmp_path / "node"
    folder.mkdir()
    (folder / "Installer.py").write_text(PROGRAM)
    index.add("jn-killed", "1.0")
    process = started(folder, server.environment)
    try:
        assert server.asked.wait(PATIENCE), (folder / "terminal.txt").read_text()
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    (place,) = (folder / ".junctor").glob("*/packages/*")
    (home,) = (folder / ".junctor").glob("*/")
    assert Folder(home).stored("jn-killed") is None
    server.gate.set()  # the uv that was left behind ends
    process = started(folder, index.environment)
    try:
        end = time.monotonic() + PATIENCE
        while "it is 1.0" not in (told := (folder / "terminal.txt").read_text()):
            assert time.monotonic() < end and process.poll() is None, told
            time.sleep(0.02)
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0
    assert sorted(path.name for path in place.iterdir()) == [".lock", "jn-killed"]
