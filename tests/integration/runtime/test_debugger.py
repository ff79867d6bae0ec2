"""Somebody stands at a breakpoint: no request runs out of time, no watchdog barks, no attempt is spent."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from junctor.runtime.debugger import Standstills, attached

PROGRAM = '''
import asyncio, io, pdb, sys, time
from dataclasses import dataclass
from junctor import Flow, Service, handler

how, where, transport, store = sys.argv[1:]


@dataclass(frozen=True)
class Ask:
    n: int


class Somebody(io.StringIO):
    """Looks for longer than the timeout and the patience of the watchdog, and then goes on."""

    def readline(self, *size):
        time.sleep(1.6)
        return "c\\n"


def look():
    if how == "sleep":
        time.sleep(1.6)
        return
    debugger = pdb.Pdb(stdin=Somebody(), stdout=io.StringIO(), nosigint=True)
    debugger.use_rawinput = False
    debugger.set_trace()
    return


class Loop(Service):
    @handler
    async def on_ask(self, ask: Ask) -> int:
        look()
        await asyncio.sleep(0.05)
        return ask.n


class Thread(Service):
    @handler
    def on_ask(self, ask: Ask) -> int:
        look()
        return ask.n


async def main():
    flow = Flow("x").add(Loop if where == "loop" else Thread, "asked")
    async with flow.running(transport=transport, store=store, logs=True) as node:
        target = node.target("asked", Ask, int)
        behind = target.request(Ask(2), timeout=0.7)
        answers = [await target.request(Ask(1), timeout=0.7)]
        print(answers, await behind)


asyncio.run(main())
'''


def run(short_dir: Path, *words: str) -> subprocess.CompletedProcess[str]:
    program = short_dir / "program.py"
    program.write_text(PROGRAM)
    env = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    return subprocess.run(
        [sys.executable, str(program), *words, str(short_dir / "store")],
        capture_output=True,
        text=True,
        timeout=30,
        env=env,
    )


@pytest.mark.parametrize("transport", ["memory", "sqlite"])
@pytest.mark.parametrize("where", ["loop", "thread"])
def test_requests_do_not_run_out_of_time_at_a_breakpoint(short_dir: Path, where: str, transport: str) -> None:
    done = run(short_dir, "breakpoint", where, transport)
    assert done.stdout == "[1] 2\n", done.stderr
    assert "blocked" not in done.stderr


@pytest.mark.parametrize("where", ["loop", "thread"])
def test_they_do_where_code_is_only_slow(short_dir: Path, where: str) -> None:
    done = run(short_dir, "sleep", where, "sqlite")
    assert "RequestTimeout" in done.stderr or "RequestExpired" in done.stderr
    assert ("blocked" in done.stderr) is (where == "loop")


def test_nobody_is_there_by_default() -> None:
    assert not attached()


def test_time_that_stood_does_not_count() -> None:
    found = False
    standstills = Standstills(lambda: found)
    standstills.look()
    began = standstills.last
    found = True
    standstills.look()
    assert standstills.stood > 0
    assert not standstills.late(began + 10**12, began + 1, began)
    found = False
    standstills.look()
    stood = standstills.since(began)
    assert stood == standstills.stood > 0
    assert not standstills.late(began + stood, began + 1, began)
    assert standstills.late(began + stood + 2, began + 1, began)
    assert standstills.since(standstills.last) == 0


MONITORED = """
import sys
from junctor.runtime.debugger import attached

monitoring = sys.monitoring
for tool, loaded in (("mine", False), ("pydevd", False), ("pydevd", True)):
    if loaded:
        sys.modules["pydevd"] = type(sys)("pydevd")  # as in debugpy, which keeps its tool when its client has gone
    monitoring.use_tool_id(monitoring.DEBUGGER_ID, tool)
    print(attached(), end=" ")
    monitoring.free_tool_id(monitoring.DEBUGGER_ID)
    print(attached(), end=" ")
"""


@pytest.mark.skipif(not hasattr(sys, "monitoring"), reason="sys.monitoring exists from Python 3.12 on")
def test_a_debugger_that_monitors_is_attached_while_it_is_registered() -> None:
    done = subprocess.run([sys.executable, "-c", MONITORED], capture_output=True, text=True, timeout=30)
    assert done.stdout.split() == ["True", "False", "True", "False", "False", "False"], done.stderr
