"""``Director``: business services called in their own process, and from another one."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from junctor import Flow
from junctor.core.records import Query
from junctor.dialects.iop import BusinessOperation, BusinessService, Director, DirectorProtocol, Message
from junctor.dialects.iop.director import functions
from junctor.dialects.iop.director.afar import received
from junctor.dialects.iop.director.entrance import NotABusinessService
from junctor.dialects.iop.director.local import LocalDirector
from junctor.dialects.iop.director.place import NoProduction
from junctor.dialects.iop.hosting.input import WrongInput
from junctor.dialects.iop.messages import UntypedMessage
from junctor.errors import UnknownTarget
from junctor.messages import Kind, Status
from junctor.node.control.wire import CallFailed
from junctor.node.node import Node
from tests.integration.iop.iop_command import Project, project_in


@dataclass
class Question(Message):
    text: str = ""


@dataclass
class Reply(Message):
    text: str = ""


class Lower(BusinessOperation):
    def on_message(self, request: Question) -> Reply:
        return Reply(request.text.lower())


class Front(BusinessService):
    def on_process_input(self, message_input: Question) -> Any:
        if message_input.text == "FAIL":
            raise KeyError("as asked")
        if message_input.text == "AWAY":
            return self.send_request_sync("Nobody", message_input)
        return self.send_request_sync("Lower", message_input)


class Same(BusinessService):
    def on_process_input(self, message_input: Any = None) -> Any:
        return message_input


class Asker(BusinessOperation):
    def on_message(self, request: Question) -> Any:
        return Director.get_business_service("Front", request.text == "NEW").on_process_input(request)


@contextlib.asynccontextmanager
async def node() -> Any:
    flow = Flow("calls")
    for cls in (Lower, Front, Same, Asker):
        flow.add(cls, cls.__name__.lower())
    async with flow.running(transport="memory") as made:
        yield made


def called(name: str, value: Any = None) -> Any:
    return Director().get_business_service(name).on_process_input(value)


def sessions_of(made: Node, service: str) -> set[int]:
    return {record.message.session for record in made.archive.search(Query(service=f"calls/{service}", limit=50))}


# In the process of the node -----------------------------------------------------------------------------------


async def test_another_thread_calls_a_service_of_its_own_process() -> None:
    async with node() as made:
        assert await asyncio.to_thread(called, "Front", Question("ABC")) == Reply("abc")
        assert await asyncio.to_thread(called, "Front", {"text": "DICT"}) == Reply("dict")
        thing = Question("the very object")
        assert await asyncio.to_thread(called, "Same", thing) is thing
        found = [record.message for record in made.archive.search(Query(service="calls/front", limit=50))]
        calls = [message for message in found if message.kind is Kind.ACTION]
        assert len(calls) == 2 and len({message.session for message in found}) == 2
        assert sessions_of(made, "lower") == sessions_of(made, "front"), (
            "what it sends belongs to the session of the call"
        )


async def test_errors_are_those_of_the_service() -> None:
    async with node():
        with pytest.raises(KeyError, match="as asked"):
            await asyncio.to_thread(called, "Front", Question("FAIL"))
        with pytest.raises(WrongInput, match="txt"):
            await asyncio.to_thread(called, "Front", {"txt": "A"})
        with pytest.raises(RuntimeError, match="to_thread"):
            called("Front", Question("would block"))
        with pytest.raises(NotABusinessService, match="Lower is no business service"):
            await asyncio.to_thread(called, "Lower", Question("A"))


@pytest.mark.parametrize(
    ("given", "error", "status", "line"),
    [
        ({"txt": "A"}, WrongInput, Status.DONE, "refused: "),
        (Question("AWAY"), UnknownTarget, Status.FAILED, "UnknownTarget: "),
        (Question("FAIL"), KeyError, Status.FAILED, "KeyError: 'as asked'"),
    ],
)
async def test_a_call_that_fails_is_in_its_session_with_its_line(
    given: Any, error: type[Exception], status: Status, line: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with node() as made:
        with pytest.raises(error) as raised:
            await asyncio.to_thread(called, "Front", given)
        assert isinstance(raised.value, RuntimeError) or error is KeyError
        while not (found := made.archive.search(Query(service="calls/front"))):
            await asyncio.sleep(0.01)
        assert [record.status for record in found] == [status]
        (logged,) = (one.line for one in made.archive.logs(found[0].message.session))
        assert logged.text.startswith(line)
    (record,) = (one for one in caplog.records if one.message.startswith(line))
    assert (record.source_class, record.source_method) == ("Front", "on_process_input")  # type: ignore[attr-defined]


@pytest.mark.parametrize(("text", "sessions"), [("SAME", 1), ("NEW", 2)])
async def test_a_callback_goes_on_in_its_session_unless_a_new_one_is_asked_for(text: str, sessions: int) -> None:
    async with node() as made:
        reply = await made.target("asker", Question, Reply).request(Question(text))
        assert reply == Reply(text.lower())
        assert len(sessions_of(made, "asker") | sessions_of(made, "front")) == sessions


async def test_many_threads_call_at_once() -> None:
    async with node():
        texts = [f"T{number}" for number in range(40)]
        replies = await asyncio.gather(*(asyncio.to_thread(called, "Front", Question(text)) for text in texts))
        assert [reply.text for reply in replies] == [text.lower() for text in texts]


# From another process -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def running() -> Iterator[Project]:
    folder = Path(tempfile.mkdtemp(prefix="jn-", dir="/tmp"))
    with project_in(folder) as made:
        made.iop("-m", "settings.py")
        made.iop("-s", "Demo.Production", "-D")
        yield made
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def home(running: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("IOP_HOME", str(running.home))
    return running


def test_a_message_of_no_known_class_has_its_fields(home: Project) -> None:
    code = """
from iop import Director
reply = Director().get_business_service("Python.Intake").on_process_input({"number": 3})
print(type(reply).__name__, reply.text, reply["text"], dict(reply))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=home.folder, capture_output=True, text=True, timeout=30)
    assert done.stdout == "UntypedMessage kept 3 kept 3 {'text': 'kept 3'}\n", done.stderr
    reply = received("nowhere.Known", b'{"text": "x", "parts": [{"a": 1}]}')
    assert type(reply) is UntypedMessage and reply.parts[0].a == 1
    with pytest.raises(AttributeError, match="no field 'txt'; its fields: text"):
        _ = reply.txt


def test_a_class_that_is_imported_is_known(home: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(home.folder))
    import msg  # type: ignore[import-not-found]

    assert called("Python.Intake", msg.Order(4)) == msg.Receipt("kept 4")
    assert called("Python.Caller", msg.Order(5, "new session")) == msg.Receipt("kept 5")


def test_plain_data_has_attributes_where_the_type_cannot_be_resolved(home: Project) -> None:
    assert called("Python.Plain", {"number": 6}).text == "plain 6"


def test_errors_from_afar_say_what_and_where(home: Project) -> None:
    with pytest.raises(CallFailed, match=r"Python.Intake.on_process_input: ValueError: unlucky. `iop --log 20`"):
        called("Python.Intake", {"number": 13})
    with pytest.raises(WrongInput, match='Did you mean "number"'):
        called("Python.Intake", {"numbr": 1})
    with pytest.raises(NotABusinessService, match="Python.Store is no business service"):
        called("Python.Store", {"number": 1})
    with pytest.raises(NotABusinessService, match='Did you mean "Python.Intake"'):
        called("Python.Intak", {"number": 1})
    for name, value in (("Python.Intake", {"numbr": 1}), ("Python.Intak", {}), ("Python.Intake", {"number": 13})):
        with pytest.raises(RuntimeError):
            called(name, value)
    with pytest.raises(AttributeError, match="on_process_input"):
        Director().get_business_service("Python.Intake").send_request_sync("Python.Store", None)


def test_threads_do_not_wait_for_each_other(home: Project) -> None:
    service = Director().get_business_service("Python.Intake")
    answers: list[str] = []

    def call(number: int) -> None:
        answers.extend(service.on_process_input({"number": number + turn}).text for turn in (100, 200, 300))

    threads = [threading.Thread(target=call, args=(number,)) for number in range(20, 32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == sorted(f"kept {number + turn}" for number in range(20, 32) for turn in (100, 200, 300))


FLASK = """
import sys
from flask import Flask, request
from iop import Director

app = Flask(__name__)

director = Director()

@app.route('/send_message', methods=['POST'])
def send_message():
    message = request.json
    bs = director.get_business_service("Python.Intake")
    resp = bs.on_process_input(message)
    return resp

if "typed" in sys.argv:
    import msg

app.run(port=int(sys.argv[1]))
"""


@pytest.mark.parametrize("words", [(), ("typed",)])
def test_a_view_of_flask_returns_what_the_service_answers(
    home: Project, free_port: int, words: tuple[str, ...]
) -> None:
    import json
    import urllib.error
    import urllib.request

    (home.folder / "front.py").write_text(FLASK)
    asked = urllib.request.Request(
        f"http://127.0.0.1:{free_port}/send_message", b'{"number": 9}', {"Content-Type": "application/json"}
    )
    command = [sys.executable, "front.py", str(free_port), *words]
    with subprocess.Popen(command, cwd=home.folder, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as front:
        until = time.monotonic() + 20
        while True:
            try:
                with urllib.request.urlopen(asked, timeout=10) as response:
                    assert response.headers["Content-Type"] == "application/json"
                    assert json.load(response) == {"text": "kept 9"}
                break
            except urllib.error.URLError:
                assert front.poll() is None and time.monotonic() < until
                time.sleep(0.05)
        front.terminate()


def test_a_production_that_was_started_again_is_found(short_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with project_in(short_dir) as project:
        monkeypatch.setenv("IOP_HOME", str(project.home))
        service = Director.get_business_service("Python.Intake")
        with pytest.raises(NoProduction, match="no production runs in namespace USER.*iop --migrate FILE"):
            service.on_process_input({"number": 1})
        project.iop("-m", "settings.py")
        project.iop("-s", "Demo.Production", "-D")
        assert service.on_process_input({"number": 1}).text == "kept 1"
        project.iop("-r")
        assert service.on_process_input({"number": 2}).text == "kept 2"
        project.iop("-S")
        with pytest.raises(NoProduction, match="Start one of Demo.Production, Demo.Other: iop --start NAME"):
            service.on_process_input({"number": 3})


# Functions ------------------------------------------------------------------------------------------------------


def test_the_director_of_this_machine_does_what_a_director_does(home: Project, capsys: Any) -> None:
    director = LocalDirector()
    assert isinstance(director, DirectorProtocol) and director.namespace == "USER"
    assert functions.status_production()["Production"] == "Demo.Production"
    functions.stop_component("Python.Store")
    paused = functions.export_production_queue_info()
    assert paused["production"] == "Demo.Production"
    functions.start_component("Python.Store")
    functions.restart_component("Python.Store")
    assert functions.test_component("Python.Store", classname="msg.Order", body={"number": 8}).text == "kept 8"
    connected = {one["item"]: one["connections"] for one in functions.export_production_connections()["items"]}
    assert connected["Python.Intake"] == ["Python.Store"]
    functions.log_production_top(3)
    assert capsys.readouterr().out.count("\n") == 3
    with pytest.raises(NotImplementedError, match="not offered yet"):
        functions.apply_production_plan({})
    with pytest.deprecated_call(match="use iop.runtime.director.list_productions"):
        assert list(Director.list_productions()) == ["Demo.Production", "Demo.Other"]


def test_the_names_of_all_versions_are_there() -> None:
    import importlib

    for module, name in (
        ("iop.runtime.director", "start_production"),
        ("iop.runtime.protocol", "DirectorProtocol"),
        ("iop.migration.utils", "migrate"),
        ("iop.messages.serialization", "SerializationError"),
        ("iop._utils", "_Utils"),
        ("iop._director", "_Director"),
        ("iop._business_host", "_BusinessHost"),
        ("iop._common", "_Common"),
        ("grongier.pex", "BusinessOperation"),
        ("grongier.pex._business_host", "_BusinessHost"),
        ("grongier.pex._cli", "main"),
    ):
        assert getattr(importlib.import_module(module), name)
    iop = importlib.import_module("iop")
    for name in iop.__all__:
        assert getattr(iop, name) is not None
    assert os.path.basename(str(iop.__file__)) == "__init__.py"
