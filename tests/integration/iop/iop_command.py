"""A project folder with productions, and the ``iop`` command in it."""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from junctor.dialects.iop.cli.main import main
from junctor.dialects.iop.director.children import take_note
from junctor.dialects.iop.director.place import Namespace
from junctor.dialects.iop.director.service import connections
from junctor.node.directory import is_running

FILES = {
    "msg.py": """
from dataclasses import dataclass
from iop import Message


@dataclass
class Order(Message):
    number: int = 0
    note: str = None


@dataclass
class Receipt(Message):
    text: str = ""
""",
    "bs.py": """
from iop import BusinessService, Director
from msg import Order, Receipt


class Intake(BusinessService):
    def on_process_input(self, order: Order):
        self.log_info(f"order {order.number}")
        if order.number == 13:
            raise ValueError("unlucky")
        return self.send_request_sync("Python.Store", order)


class Plain(BusinessService):
    def on_process_input(self, message_input: "NotKnown"):
        return Receipt(f"plain {message_input.number}")


class Caller(BusinessService):
    def on_process_input(self, order: Order):
        intake = Director().get_business_service("Python.Intake", force_session_id=bool(order.note))
        return intake.on_process_input(order)
""",
    "bo.py": """
from iop import BusinessOperation
from msg import Order, Receipt


class Store(BusinessOperation):
    def on_order(self, order: Order):
        self.log_assert("kept")
        return Receipt(f"kept {order.number}")
""",
    "settings.py": """
import bo, bs

CLASSES = {"Python.Store": bo.Store, "Python.Intake": bs.Intake, "Python.Plain": bs.Plain, "Python.Caller": bs.Caller}


def item(name):
    return {"@Name": name, "@ClassName": name}


PRODUCTIONS = [
    {"Demo.Production": {"@TestingEnabled": "true", "Item": [
        item("Python.Intake"), item("Python.Plain"), item("Python.Caller"), item("Python.Store"),
    ]}},
    {"Demo.Other": {"Item": item("Python.Store")}},
]
""",
}

LEFT_OUT = ("IOP_", "IRIS", "JUNCTOR_")


class Project:
    """A folder, and the command in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name, text in FILES.items():
            (folder / name).write_text(text)

    def iop(self, *words: str, code: int = 0, namespace: str = "") -> str:
        """Run the command; what it wrote, to standard error where it fails."""
        out, err = io.StringIO(), io.StringIO()
        before = dict(os.environ)
        if namespace:
            os.environ["IOP_NAMESPACE"] = namespace
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), contextlib.chdir(self.folder):
                found = main(words)
        finally:
            os.environ.clear()
            os.environ |= before
        assert found == code, f"iop {' '.join(words)}: code {found}\n{out.getvalue()}\n{err.getvalue()}"
        return err.getvalue() if code else out.getvalue()

    def json(self, *words: str) -> Any:
        """The same, as it was meant for scripts."""
        return json.loads(self.iop(*words))

    @property
    def home(self) -> Path:
        return self.folder / ".junctor"

    def end(self) -> None:
        """Stop what runs."""
        connections.close()
        for name in ("USER", "SECOND"):
            place = Namespace(name, self.home)
            if place.running():
                self.iop("--kill", namespace=name)
        take_note()
        for folder in self.home.iterdir() if self.home.exists() else ():
            assert not is_running(folder), f"{folder} still runs"


@contextlib.contextmanager
def project_in(folder: Path) -> Iterator[Project]:
    """A project whose productions are stopped in the end."""
    kept = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith(LEFT_OUT)}
    project = Project(folder)
    try:
        yield project
    finally:
        project.end()
        os.environ |= kept
