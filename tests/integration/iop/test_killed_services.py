"""Services whose node is killed: what they have sent is on disk, and whoever waits for them is told."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from junctor.dialects.iop import Director
from junctor.dialects.iop.director.children import take_note
from junctor.dialects.iop.director.place import Namespace
from junctor.node.control.client import NodeClient
from junctor.node.control.operations.node import Pong
from junctor.node.control.wire import ConnectionLost
from tests.integration.iop.iop_command import Project, project_in

COMPONENTS = """
import os, signal, time
from pathlib import Path

from iop import BusinessOperation, BusinessService, InboundAdapter
from msg import Order

HERE = Path(__file__).parent


class Files(InboundAdapter):
    def on_task(self):
        for file in sorted(HERE.glob("*.order")):
            self.business_host_python.on_process_input(Order(int(file.stem)))
            file.rename(file.with_suffix(".done"))
        if (HERE / "3.done").exists() and not (HERE / "died").exists():
            (HERE / "died").touch()
            os.kill(os.getpid(), signal.SIGKILL)


class Reader(BusinessService):
    CallInterval = 0.1

    @staticmethod
    def get_adapter_type():
        return "Python.Files"

    def on_process_input(self, order):
        self.send_request_async("Python.Keep", order)


class Keep(BusinessOperation):
    def on_order(self, order: Order):
        with (HERE / "kept").open("a") as kept:
            kept.write(f"{order.number}\\n")


class Slow(BusinessService):
    def on_process_input(self, order: Order):
        (HERE / "called").touch()
        time.sleep(30)
"""

SETTINGS = """
import cut

CLASSES = {f"Python.{cls.__name__}": cls for cls in (cut.Files, cut.Reader, cut.Keep, cut.Slow)}
ITEMS = [{"@Name": name, "@ClassName": name} for name in CLASSES if name != "Python.Files"]
PRODUCTIONS = [{"Cut.Production": {"Item": ITEMS}}]
"""


@pytest.fixture
def project(short_dir: Path) -> Iterator[Project]:
    with project_in(short_dir) as made:
        (short_dir / "cut.py").write_text(COMPONENTS)
        (short_dir / "cut_settings.py").write_text(SETTINGS)
        made.iop("--migrate", "cut_settings.py")
        made.iop("--start", "Cut.Production", "--detach")
        yield made


def until(holds: Callable[[], bool]) -> None:
    limit = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < limit
        take_note()
        time.sleep(0.02)


def test_what_an_adapter_has_sent_and_renamed_survives_a_kill(project: Project) -> None:
    for number in (1, 2, 3):
        (project.folder / f"{number}.new").write_text("order")
        (project.folder / f"{number}.new").rename(project.folder / f"{number}.order")
    until((project.folder / "died").exists)
    until(lambda: not Namespace("USER", project.home).running())
    project.iop("--start", "Cut.Production", "--detach")
    kept = project.folder / "kept"
    until(lambda: kept.exists() and set(kept.read_text().split()) == {"1", "2", "3"})


def test_who_waits_for_a_service_is_told_that_its_node_was_killed(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IOP_HOME", str(project.home))
    with contextlib.closing(NodeClient(Namespace("USER", project.home).directory("Cut.Production"))) as client:
        pong: Pong = client.ask("ping", Pong)
    raised: list[BaseException] = []

    def call() -> None:
        try:
            Director().get_business_service("Python.Slow").on_process_input({"number": 1})
        except RuntimeError as error:
            raised.append(error)

    caller = threading.Thread(target=call)
    caller.start()
    until((project.folder / "called").exists)
    os.kill(pong.pid, signal.SIGKILL)
    caller.join(20)
    assert [isinstance(error, ConnectionLost) for error in raised] == [True]
