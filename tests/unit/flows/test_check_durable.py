"""What ``junctor check`` says of the code of a workflow: each call that a replay would see otherwise, and no other."""

from __future__ import annotations

import importlib
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from junctor.cli.main import main
from junctor.flows.check.durable import code_findings
from junctor.flows.check.findings import Finding

Write = Callable[..., Path]
Look = Callable[..., list[Finding]]

HEAD = """\
from junctor import handler
from junctor.services.service import Service
"""


@pytest.fixture
def look(plant: Write, monkeypatch: pytest.MonkeyPatch) -> Look:
    """Findings about a class ``Order`` with this body of its handler, and these lines before the class."""
    count = 0

    def looked(body: str, before: str = "", members: str = "") -> list[Finding]:
        nonlocal count
        count += 1
        lines = [HEAD, textwrap.dedent(before), "class Order(Service):"]
        if members:
            lines.append(textwrap.indent(textwrap.dedent(members), "    "))
        lines += ["    @handler", "    async def on_order(self, order: str):", "        pass"]
        lines.append(textwrap.indent(textwrap.dedent(body), "        "))
        path = plant(f"w5order{count}.py", "\n".join(lines) + "\n")
        monkeypatch.syspath_prepend(str(path.parent))
        module: Any = importlib.import_module(path.stem)
        return list(code_findings(module.Order, "orders"))

    return looked


BAD = [
    ("import asyncio", "await asyncio.sleep(1)", "self.sleep"),
    ("import asyncio as a", "await a.sleep(1)", "self.sleep"),
    ("from asyncio import sleep", "await sleep(1)", "self.sleep"),
    ("from asyncio import sleep as pause", "await pause(1)", "self.sleep"),
    ("import time", "time.sleep(1)", "self.sleep"),
    ("import time", "x = time.time()", "self.now()"),
    ("from time import time", "x = time()", "self.now()"),
    ("from time import time_ns as now", "x = now()", "self.now()"),
    ("import time", "x = time.monotonic()", "self.now()"),
    ("import time", "x = time.perf_counter_ns()", "self.now()"),
    ("import datetime", "x = datetime.datetime.now()", "self.now()"),
    ("from datetime import datetime", "x = datetime.now()", "self.now()"),
    ("from datetime import datetime as dt, UTC", "x = dt.now(UTC)", "self.now()"),
    ("from datetime import datetime", "x = datetime.utcnow()", "self.now()"),
    ("from datetime import datetime", "x = datetime.today()", "self.now()"),
    ("from datetime import date", "x = date.today()", "self.now()"),
    ("import random", "x = random.random()", "self.random"),
    ("import random as r", "x = r.choice([1, 2])", "self.random"),
    ("from random import randint", "x = randint(1, 6)", "self.random"),
    ("from random import shuffle as mix", "mix([1, 2])", "self.random"),
    ("import random", "x = random.Random().random()", "self.random"),
    ("import random\nDICE = random.Random(5)", "x = DICE.randint(1, 6)", "self.random"),
    ("import secrets", "x = secrets.token_hex()", "self.random"),
    ("from secrets import token_hex", "x = token_hex()", "self.random"),
    ("import os", "x = os.urandom(4)", "self.random"),
    ("from os import urandom as u", "x = u(4)", "self.random"),
    ("import uuid", "x = uuid.uuid4()", "self.uuid()"),
    ("from uuid import uuid1", "x = uuid1()", "self.uuid()"),
    ("import os", "x = os.environ['A']", "setting"),
    ("from os import environ", "x = environ.get('A')", "setting"),
    ("from os import environ as e", "x = dict(e)", "setting"),
    ("import os", "x = os.getenv('A')", "setting"),
    ("", "x = open('f').read()", "self.once"),
    ("", "with open('f') as file:\n    pass", "self.once"),
    ("from pathlib import Path", "x = Path('f').read_text()", "self.once"),
    ("from pathlib import Path", "x = (Path('f') / 'g').exists()", "self.once"),
    ("from pathlib import Path", "file = Path('f')\nfile.write_text('')", "self.once"),
    ("import pathlib", "x = pathlib.Path.home()", "self.once"),
    ("import os", "x = os.path.exists('f')", "self.once"),
    ("import os", "x = os.listdir('.')", "self.once"),
    ("import urllib.request", "x = urllib.request.urlopen('http://x')", "self.once"),
    ("from urllib.request import urlopen", "x = urlopen('http://x')", "self.once"),
    ("import socket", "x = socket.create_connection(('h', 1))", "self.once"),
    ("from socket import socket", "x = socket()", "self.once"),
    ("import subprocess", "subprocess.run(['ls'])", "self.once"),
    ("from subprocess import check_output as out", "out(['ls'])", "self.once"),
    ("import sqlite3", "sqlite3.connect('f')", "self.once"),
    ("import shutil", "shutil.copy('a', 'b')", "self.once"),
    ("import asyncio", "await asyncio.gather()", "self.gather"),
    ("import asyncio", "asyncio.create_task(x())", "self.gather"),
    ("import asyncio", "async with asyncio.TaskGroup():\n    pass", "self.gather"),
    ("import asyncio", "await asyncio.wait_for(x(), 1)", "timeout"),
    ("import asyncio", "async with asyncio.timeout(1):\n    pass", "timeout"),
    ("import asyncio", "x = asyncio.Event()", "self.wait"),
    ("from asyncio import Queue", "x = Queue()", "self.wait"),
    ("import threading", "threading.Thread(target=print).start()", "self.gather"),
    ("from threading import Lock", "x = Lock()", "self.gather"),
    ("from concurrent.futures import ThreadPoolExecutor", "x = ThreadPoolExecutor()", "self.gather"),
    ("", "x = input()", "self.once"),
    ("", "x = hash(order)", "hashlib"),
    ("", "for one in {'a', 'b'}:\n    pass", "sorted"),
    ("", "x = [one for one in set(order)]", "sorted"),
    ("", "x = list(frozenset(order))", "sorted"),
    ("", "names = set(order)\nfor one in names:\n    pass", "sorted"),
    ("", "names = {'a'} | set(order)\nx = ','.join(names)", "sorted"),
    ("", "names: set[str] = f()\nx = names.pop()", "sorted"),
    ("", "print(*set(order))", "sorted"),
    ("NAMES = {'a', 'b'}", "x = tuple(NAMES)", "sorted"),
    ("", "import time\nx = time.time()", "self.now()"),
    ("", "import requests\nrequests.get('http://x')", "self.once"),
    ("", "from httpx import AsyncClient\nx = AsyncClient()", "self.once"),
    ("import time", "x = lambda: time.time()", "self.now()"),
    ("import time", "x = sorted(order, key=time.time)", "self.now()"),
    ("import time", "def inner():\n    return time.time()\nx = inner()", "self.now()"),
    ("import time", "await self.once(f(time.time()))", "self.now()"),
    ("import time", "x = time.time()  # durable: ok", "REASON"),
]


@pytest.mark.parametrize(("before", "body", "instead"), BAD)
def test_what_a_replay_would_see_otherwise_is_found_with_its_durable_form(
    look: Look, before: str, body: str, instead: str
) -> None:
    found = look(body, before)
    assert len(found) == 1, found
    (finding,) = found
    assert (finding.level, finding.code, finding.where) == ("error", "durable", "orders.on_order")
    assert instead in finding.fix
    assert finding.line >= 8


GOOD = [
    ("", "await self.sleep('1s')"),
    ("", "x = self.now()"),
    ("", "x = self.random.choice([1, 2])"),
    ("", "random = self.random\nx = random.random()"),
    ("import random", "x = random.Random(5).random()"),
    ("import random", "dice = random.Random(order)\nx = dice.choice([1])"),
    ("import uuid", "x = uuid.uuid5(uuid.NAMESPACE_URL, order)"),
    ("import uuid", "x = uuid.UUID(order)"),
    ("from datetime import datetime, timedelta", "x = datetime.fromtimestamp(5) + timedelta(1)"),
    ("import time", "x = time.strftime('%H', t)"),
    ("import os", "x = os.path.join('a', os.sep)"),
    ("from pathlib import Path", "x = Path('a').name, Path('b') / 'c', Path('x').suffix"),
    ("import urllib.parse", "x = urllib.parse.quote(order)"),
    ("import time", "await self.once(lambda: time.time())"),
    ("import time", "await self.once(time.time)"),
    ("import time", "await self.once('clock', time.time)"),
    ("import time", "def inner():\n    return time.time()\nawait self.once(inner)"),
    ("", "class requests:\n    get = None\nrequests.get('x')"),
    ("class Clock:\n    def time(self): ...\ntime = Clock()", "x = time.time()"),
    ("", "def sleep(x): ...\nsleep(5)"),
    ("", "time = order\nx = time.time()"),
    ("", "x = [open for open in order if open()]"),
    ("", "for random in order:\n    random.random()"),
    ("import asyncio", "try:\n    pass\nexcept asyncio.TimeoutError:\n    raise"),
    ("import subprocess", "try:\n    pass\nexcept (subprocess.CalledProcessError, OSError):\n    raise"),
    ("import socket", "raise socket.timeout"),
    ("import threading", "x: threading.Thread | None = None"),
    ("import sqlite3", "x = isinstance(order, sqlite3.Connection)"),
    ("", "for one in sorted({'a', 'b'}):\n    pass"),
    ("", "x = sorted(one for one in set(order))"),
    ("", "x = any(one for one in {'a', order})"),
    ("", "x = 'a' in set(order), len({'a'})"),
    ("", "x = {one for one in set(order)}"),
    ("", "for one in {1, 2, 3}:\n    pass"),
    ("", "for one in {'a': 1}:\n    pass"),
    ("", "x = [1, 2].pop()"),
    ("import time", "x = time.time()  # durable: ok only logged"),
    ("import time", "# durable: ok only logged\nx = time.time()"),
    ("import time", "x = max(\n    1,\n    time.time(),  # durable: ok only logged\n)"),
    ("import time\ndef clock():\n    return time.time()", "await self.once(clock)"),
    ("import time\ndef clock():\n    return time.time()", "clock()  # durable: ok only logged"),
]


@pytest.mark.parametrize(("before", "body"), GOOD)
def test_what_is_the_same_in_a_replay_is_no_error(look: Look, before: str, body: str) -> None:
    assert look(body, before) == []


def test_what_a_handler_calls_is_read_too(look: Look) -> None:
    before = """
        import time
        def outer():
            return middle()
        def middle():
            return time.time()
        def nobody_calls_it():
            return time.time()
    """
    (finding,) = look("x = outer()", before)
    assert finding.what.endswith("in middle()")
    assert finding.line == 9


def test_methods_properties_and_the_constructor_belong_to_the_run(look: Look) -> None:
    members = """
        def __init__(self):
            self.token = uuid.uuid4()

        @property
        def age(self):
            return time.time()

        def _helper(self):
            return random.random()

        @staticmethod
        def _plain():
            return os.getenv("A")

        async def _not_reached(self):
            return time.time()
    """
    found = look("x = self._helper(), self.age, self._plain()", "import os, random, time, uuid", members)
    assert [(one.where, one.what.partition("()")[0]) for one in found] == [
        ("orders.__init__", "uuid.uuid4"),
        ("orders.on_order", "random.random"),
        ("orders.on_order", "time.time"),
        ("orders.on_order", "os.getenv"),
    ]


def test_a_class_above_is_read_as_its_child_has_it(look: Look) -> None:
    before = """
        import time
        class Base(Service):
            def _hook(self):
                return time.time()
            def _shown(self):
                return self._hook()
            def _greet(self):
                return time.monotonic()
    """
    members = """
        def _hook(self):
            return 1
        def _greet(self):
            return super()._greet()
    """
    source = "x = self._shown(), self._greet()"
    found = look(source, before, members)
    assert found == []  # Order is no Base here
    found = look(source, before + "\n        Service = Base\n", members)
    assert [one.what.partition("()")[0] for one in found] == ["time.monotonic"]


def test_settings_and_attributes_are_known_by_their_kind(look: Look) -> None:
    members = """
        folder: Path = Path("x")
        names: set[str] = set()

        def __init__(self):
            self.seen = set()
    """
    body = "x = self.folder.read_text()\nfor one in self.names:\n    pass\nfor one in self.seen:\n    pass"
    assert len(look(body, "from pathlib import Path", members)) == 3


def test_a_function_that_calls_itself_is_read_once(look: Look) -> None:
    before = """
        import time
        def even(n):
            return odd(n - 1)
        def odd(n):
            return even(n - 1), time.time()
    """
    assert len(look("even(3)\ndef loop():\n    return loop()\nloop()", before)) == 1


def test_a_function_of_another_module_of_the_user_is_read_too(look: Look, plant: Write) -> None:
    plant("w5prices.py", "from time import time\n\ndef price():\n    return time()\n")
    (finding,) = look("x = w5prices.price()", "import w5prices")
    assert finding.place == "w5prices.py:4"


SERVICES = """
    import time
    from junctor import Service, Workflow, handler, query, signal

    class Order(Workflow):
        @handler
        async def on_order(self, order: str) -> None:
            await self.wait(lambda: self._late())

        @signal
        def stamp(self, text: str) -> None:
            self.stamped = time.time()

        @query
        def age(self) -> float:
            return time.monotonic()

        def _late(self) -> bool:
            return time.time_ns() > 5

    class Plain(Service):
        @handler
        async def on_order(self, order: str) -> None:
            time.time()
"""


def test_the_methods_of_a_run_are_looked_at_and_other_services_are_not(
    plant: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    plant("w5both.py", SERVICES)
    plant("both.yaml", "flow: both\nservices:\n  order: {class: w5both:Order}\n  plain: {class: w5both:Plain}\n")
    assert main(["check", "both.yaml"]) == 78
    told = capsys.readouterr().out
    assert told.count("error") == 4, told  # three, and their sum
    for line, where, call in (
        (12, "order.stamp", "time.time()"),
        (16, "order.age", "time.monotonic()"),
        (19, "order.on_order", "time.time_ns()"),
    ):
        assert f"{line}  error    {where}: {call} tells another time when the run is replayed" in told
    assert "Write `self.now()`." in told
