"""The wheel as a user gets it: what is in it, and that it runs in an empty environment with the pinned requirements.

Needs the package index, as ``make`` does.
"""

from __future__ import annotations

import email
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email.message import Message
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT

pytestmark = pytest.mark.timeout(300)

SERVICE = '''
from dataclasses import dataclass
from junctor import Service, Target, action, get, handler, setting


@dataclass
class Reading:
    sensor: str
    value: float


@dataclass
class Verdict:
    high: bool


class Monitor(Service):
    readings: Target[Reading, Verdict]

    @action
    async def measure(self, value: float) -> bool:
        verdict = await self.readings.request(Reading("cpu", value))
        return verdict.high


class Alarm(Service):
    """Judges readings."""

    limit: float = setting(80.0, ge=0, le=100, unit="percent")

    @handler
    async def on_reading(self, reading: Reading) -> Verdict:
        self.log.info("judging %s", reading.sensor)
        return Verdict(reading.value > self.limit)

    @get("/limit")
    async def read(self) -> float:
        return self.limit
'''
TYPED = """
from __future__ import annotations

import asyncio

import junctor
from junctor import Flow, JunctorError, Receipt, RetryPolicy

from service import Alarm, Monitor, Reading, Verdict

flow = Flow("typed")
flow.add(Monitor())
flow.add(Alarm(limit=75))
policy = RetryPolicy(attempts=3)


async def ask() -> Verdict:
    async with flow.running() as node:
        target = node.target("alarm", Reading, Verdict)
        receipt: Receipt | None = await target.send(Reading("cpu", 1.0))
        assert receipt is not None
        return await target.request(Reading("cpu", 99.0))


def outside(folder: str) -> str:
    with junctor.connect(folder) as client:
        try:
            return client.send("alarm", Reading("cpu", 1.0)).id
        except JunctorError as error:
            return error.code


if __name__ == "__main__":
    print(asyncio.run(ask()).high)
"""
WRONG = """
from junctor import Service, Target, handler
from service import Alarm, Reading, Verdict


class Wrong(Service):
    readings: Target[Reading, Verdict]

    async def go(self) -> int:
        await self.readings.send("not a reading")
        verdict = await self.readings.request(Reading("cpu", 1.0))
        return verdict.hihg
"""


@pytest.fixture
def home(short_dir: Path) -> Path:
    (short_dir / "service.py").write_text(SERVICE)
    (short_dir / "typed.py").write_text(TYPED)
    (short_dir / "wrong.py").write_text(WRONG)
    return short_dir


def clean() -> dict[str, str]:
    """An environment without a word of the one that tests run in."""
    return {key: value for key, value in os.environ.items() if key in ("PATH", "HOME", "LANG", "TMPDIR")}


def run(home: Path, *words: str, code: int = 0) -> str:
    done = subprocess.run(words, cwd=home, env=clean(), capture_output=True, text=True, timeout=60)
    assert done.returncode == code, f"{words}\n{done.stdout}\n{done.stderr}"
    return done.stdout


# What is in it ------------------------------------------------------------------------------------------------


def test_the_wheel_has_the_package_with_its_data_and_nothing_else(wheel: Path) -> None:
    source = ROOT / "src"
    files = {str(path.relative_to(source)) for path in source.rglob("*") if path.is_file()}
    expected = {name for name in files if "__pycache__" not in name}
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert inside == expected
    assert "junctor/py.typed" in inside
    assert wheel.name.endswith("-py3-none-any.whl")
    assert not {name for name in inside if Path(name).name.startswith("test_") and "templates" not in name}


def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return email.message_from_bytes(archive.read(name))


def test_the_wheel_says_what_it_is(wheel: Path) -> None:
    said = metadata(wheel)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert (said["Name"], said["Version"]) == ("junctor", project["version"])
    assert said["Requires-Python"] == ">=3.11"
    assert said["License-Expression"] == "MIT"
    assert "Typing :: Typed" in said.get_all("Classifier", [])
    for minor in range(11, 15):
        assert f"Programming Language :: Python :: 3.{minor}" in said.get_all("Classifier", [])
    assert str(said.get_payload()).startswith("# Junctor")
    with zipfile.ZipFile(wheel) as archive:
        (entries,) = [name for name in archive.namelist() if name.endswith("entry_points.txt")]
        assert "[console_scripts]\njunctor = junctor.cli.main:main\n" in archive.read(entries).decode()
        assert [name for name in archive.namelist() if name.endswith("licenses/LICENSE")]


def test_what_is_faster_is_asked_for_only_where_it_has_wheels(wheel: Path) -> None:
    asked = metadata(wheel).get_all("Requires-Dist", [])
    for name in ("httptools", "uvloop"):
        (line,) = [one for one in asked if one.startswith(name) and "extra ==" not in one]
        for word in ("CPython", "x86_64", "aarch64", "arm64"):
            assert word in line
        assert "armv7l" not in line
        assert [one for one in asked if one.startswith(name) and "extra == 'fast'" in one]


def test_the_source_archive_can_be_tested(built: Path) -> None:
    (archive,) = built.glob("*.tar.gz")
    names = {name.partition("/")[2] for name in tarfile.open(archive).getnames()}
    for needed in ("LICENSE", "README.md", "Makefile", "pyproject.toml", "src/junctor/py.typed", "tests/conftest.py"):
        assert needed in names
    assert not [name for name in names if "__pycache__" in name or name.startswith(".git/") or name.endswith(".db")]


# That it runs -------------------------------------------------------------------------------------------------


def test_it_runs_from_an_empty_environment(python: Path, home: Path) -> None:
    tool = str(python.parent / "junctor")
    assert run(home, tool, "--version").startswith("junctor 0.")
    where = run(home, str(python), "-c", "import junctor; print(junctor.__file__)")
    assert where.startswith(str(python.parents[1])), "the checkout was imported instead of the wheel"
    with (home / "out").open("w") as out:
        words = [tool, "run", "service.py", "--port", "0"]
        node = subprocess.Popen(words, cwd=home, env=clean(), stdout=out, stderr=subprocess.STDOUT)
    try:
        _wait_for(home / "out", "stop with Ctrl-C", node)
        assert "accepted" in run(home, tool, "send", "alarm", '{"sensor": "cpu", "value": 93}')
        assert run(home, tool, "call", "monitor", "measure", "value=93").strip() == "true"
        assert run(home, tool, "health", "--ready") == "well\n"
        assert run(home, tool, "stop") == "stopped\n"
        assert node.wait(15) == 0
    finally:
        node.kill()
        node.wait()


def _wait_for(file: Path, text: str, process: subprocess.Popen[bytes]) -> None:
    import time

    until = time.monotonic() + 20
    while text not in file.read_text():
        assert process.poll() is None and time.monotonic() < until, file.read_text()
        time.sleep(0.02)


def test_every_command_says_what_it_does(python: Path, home: Path) -> None:
    tool = str(python.parent / "junctor")
    listed = run(home, tool, "--help").partition("Commands:")[2]
    names = re.findall(r"^  ([a-z]+) ", listed, re.MULTILINE)
    assert len(names) > 15
    each = "import sys\nfrom junctor.cli.main import main\nfor name in sys.argv[1:]: assert main([name, '--help']) == 0"
    said = run(home, str(python), "-c", each, *names)
    assert [name for name in names if f"Usage: junctor {name} " not in said] == []


def test_a_strict_type_checker_understands_a_users_program(python: Path, home: Path) -> None:
    mypy = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(home / "cache")]
    mypy += ["--python-executable", str(python)]
    assert "Success" in run(home, *mypy, "typed.py", "service.py")
    assert run(home, str(python), "typed.py").strip().endswith("True")
    said = run(home, *mypy, "wrong.py", code=1)
    assert 'wrong.py:10: error: Argument 1 to "send"' in said
    assert '"Verdict" has no attribute "hihg"' in said


def test_without_the_faster_parts_it_serves_all_the_same(python: Path, home: Path) -> None:
    """Where neither httptools nor uvloop can be imported: HTTP through h11 on asyncio's loop."""
    (home / "sitecustomize.py").write_text("import sys\nsys.modules['httptools'] = sys.modules['uvloop'] = None\n")
    script = (
        "import asyncio, urllib.request\nfrom junctor import Flow\nfrom service import Alarm, Monitor\n"
        "async def main():\n"
        "    flow = Flow('plain')\n    flow.add(Monitor())\n    flow.add(Alarm())\n"
        "    async with flow.running(http='127.0.0.1:0') as node:\n"
        "        print(type(asyncio.get_running_loop()).__module__)\n"
        "        print((await asyncio.to_thread(urllib.request.urlopen, node.url + '/limit')).read().decode())\n"
        "asyncio.run(main())\n"
    )
    (home / "plainly.py").write_text(script)
    done = subprocess.run(
        [str(python), "plainly.py"],
        cwd=home,
        env={**clean(), "PYTHONPATH": str(home)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.split() == ["asyncio.unix_events", "80.0"], done.stdout + done.stderr
