"""The pytest plugin, in processes of its own: what it gives, what it costs, and what a failure looks like."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]

PLANT = (Path(__file__).parent / "plant.py").read_text()

WRONG = """
from junctor.testing import running
from plant import Ask, Reading, plant

def test_it():
    with running(plant(), without=["office", "monitor"]) as flow:
        flow.send("alarm", Reading("cpu", -1.0))
        flow.advance("1m")
"""


def told(folder: Path, *arguments: str, code: int = 0) -> str:
    """What pytest prints in a folder, when it ends as it should."""
    command = [sys.executable, "-m", "pytest", "--no-header", "-p", "no:cacheprovider", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "COLUMNS": "120"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=50)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "plant.py").write_text(PLANT)
    (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    return tmp_path


def test_the_fixture_runs_files_beside_the_test_and_above_it(folder: Path) -> None:
    (folder / "main.py").write_text("from plant import plant\nflow = plant()\n")
    deep = folder / "tests" / "deep"
    deep.mkdir(parents=True)
    (deep / "test_it.py").write_text(
        "def test_it(junctor):\n"
        "    with junctor('main.py', without='office') as plant:\n"
        "        plant.advance('10m')\n"
        "        assert plant.state('alarm') == {'count': 11}\n"
        "        assert plant.http.get('/alarms/cpu').json()['count'] == 11\n"
        "async def test_async(junctor):\n"
        "    async with junctor('main.py', without='office', set={'alarm.limit': 0}) as plant:\n"
        "        await plant.advance('10m')\n"
        "        assert len(plant.sent('alarm.mails')) == 11\n"
    )
    assert "2 passed" in told(folder, "-o", "asyncio_mode=auto")


def test_a_failure_is_told_where_the_test_is_with_the_users_lines(folder: Path) -> None:
    (folder / "test_it.py").write_text(WRONG)
    text = told(folder, "--show-capture=no", code=1)
    assert re.search(
        r"""
>       with running\(plant\(\), without=\["office", "monitor"\]\) as flow:
(?: +\^+
)?E       junctor\.testing\.Unexpected: alarm parked a message after 5 attempts: ValueError: negative: -1\.0
E         File ".*plant\.py", line \d+, in on_reading
E           raise ValueError\(f"negative: \{reading\.value\}"\)
E         the message: Reading\(sensor='cpu', value=-1\.0\)
E         its way: client -> alarm Reading \(00:00:00\)
E\s*
E       Is that what the test is about\? Then write: with plant\.expect_parked\(ValueError\): \.\.\.

test_it\.py:6: Unexpected
""",
        text,
    ), text
    assert "src/junctor" not in text


def test_code_that_does_not_rest_is_told_with_its_line(folder: Path) -> None:
    (folder / "test_it.py").write_text(
        "import time\n"
        "from junctor import Service, handler\n"
        "from junctor.testing import running\n"
        "class Stuck(Service):\n"
        "    @handler\n"
        "    def on_text(self, text: str) -> None:\n"
        "        time.sleep(2)\n"
        "def test_it():\n"
        "    with running(Stuck(), patience=0.2) as plant:\n"
        "        plant.send('stuck', 'x')\n"
    )
    text = told(folder, "--show-capture=no", code=1)
    assert "junctor.testing.NotAtRest: time cannot move on" in text
    assert re.search(r"E +test/stuck.on_text in a thread\n", text), text
    assert re.search(r"E +at .*test_it\.py:7 in on_text", text), text
    assert "src/junctor" not in text, text


def test_the_plugin_imports_nothing_and_does_nothing_unless_it_is_used(folder: Path) -> None:
    (folder / "test_it.py").write_text(
        "import sys\n"
        "def test_it():\n"
        "    ours = [name for name in sys.modules if name.startswith('junctor')]\n"
        "    assert sorted(ours) == ['junctor', 'junctor.testing', 'junctor.testing.plugin']\n"
    )
    assert "1 passed" in told(folder)


@pytest.mark.parametrize("mode", ["strict", "auto"])
def test_under_pytest_asyncio(folder: Path, mode: str) -> None:
    mark = "import pytest\npytestmark = pytest.mark.asyncio\n" if mode == "strict" else ""
    (folder / "test_it.py").write_text(
        f"{mark}from junctor.testing import running\n"
        "from plant import Ask, plant\n"
        "async def test_it():\n"
        "    async with running(plant(), without='office') as flow:\n"
        "        await flow.advance('1h')\n"
        "        assert await flow.request('alarm', Ask(1)) == 2\n"
    )
    assert "1 passed" in told(folder, "-o", f"asyncio_mode={mode}")


def test_under_anyio_and_unittest_and_uvloop(folder: Path) -> None:
    pytest.importorskip("anyio")
    body = "running(plant(), without='office') as flow:\n            "
    (folder / "test_it.py").write_text(
        "import asyncio, unittest, uvloop, pytest\n"
        "from junctor.testing import running\n"
        "from plant import Ask, plant\n"
        "async def an_hour():\n"
        "    async with running(plant(), without='office') as flow:\n"
        "        await flow.advance('1h')\n"
        "        assert await flow.request('alarm', Ask(1)) == 2\n"
        "        assert len(flow.sent('monitor.readings')) == 61\n"
        "@pytest.mark.anyio\n"
        "@pytest.mark.parametrize('anyio_backend', ['asyncio'])\n"
        "async def test_anyio(anyio_backend):\n"
        "    await an_hour()\n"
        "def test_plain():\n"
        "    asyncio.run(an_hour())\n"
        "def test_uvloop():\n"
        "    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:\n"
        "        runner.run(an_hour())\n"
        "class TestBlocking(unittest.TestCase):\n"
        "    def test_it(self):\n"
        f"        with {body}flow.advance('1h')\n"
        "class TestAsync(unittest.IsolatedAsyncioTestCase):\n"
        "    async def test_it(self):\n"
        "        await an_hour()\n"
    )
    assert "5 passed" in told(folder, "-p", "no:asyncio")


def test_with_blocking_words_inside_a_loop_says_what_to_write(folder: Path) -> None:
    (folder / "test_it.py").write_text(
        "import asyncio, pytest\n"
        "from junctor.testing import running\n"
        "from plant import plant\n"
        "async def wrong():\n"
        "    with running(plant()):\n"
        "        pass\n"
        "def test_it():\n"
        "    with pytest.raises(Exception, match='async with running'):\n"
        "        asyncio.run(wrong())\n"
    )
    assert "1 passed" in told(folder)


USER = """
from junctor import Flow
from junctor.testing import BlockingFlow, Parked, Response, RunningFlow, running
from plant import Ask, Mail, Reading, plant

async def test_async() -> None:
    async with running(plant(), without="office", set={"alarm.limit": 5}) as flow:
        checked: RunningFlow = flow
        await flow.advance("1h")
        await flow.advance(3.5)
        receipt = await flow.send("alarm", Reading("cpu", 1.0), delay="1s")
        number: int = await flow.request("alarm", Ask(1), within="1m")
        answer: Response = await flow.http.get("/alarms/cpu", params={"limit": 3})
        flow.fail("alarm", ConnectionError, times=2, when=lambda body: body == Ask(1))
        with flow.expect_parked(ValueError, match="x") as parked:
            pass
        first: Parked = parked.messages[0]
        print(receipt.id, number, answer.status, first.error, checked.now.year, flow.trace(receipt).hops)

def test_blocking() -> None:
    with running("flow.yaml", store="folder", replace={"office": object()}) as flow:
        checked: BlockingFlow = flow
        flow.restart()
        flow.advance("1h")
        answer: Response = checked.http.post("/x", json={"a": 1})
        print(answer.json(), flow.sent("alarm.mails") == [Mail("x")], Flow)
"""


def test_the_words_are_typed(folder: Path) -> None:
    pytest.importorskip("mypy")
    (folder / "user.py").write_text(USER)
    environment = {**os.environ, "MYPYPATH": f"{ROOT / 'src'}:{folder}"}
    options = ["--strict", "--follow-imports=silent", "--cache-dir", str(folder / "cache")]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *options, "user.py"], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
