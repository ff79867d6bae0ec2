"""What every test shares: short folders, free ports, reproducible examples, and no thread left behind."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from junctor.observe import secrets
from tests.crash import campaigns
from tests.servers.fixtures import _postgresql_server, link, mosquitto, postgresql  # noqa: F401

# A failing example prints the @reproduce_failure line that repeats it; a slow machine is not a failing test.
settings.register_profile("junctor", print_blob=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("junctor")

LEAK_GRACE = 2.0
_ROOT = Path(__file__).resolve().parents[1]
_LASTING = (sys.prefix, sys.base_prefix, str(_ROOT / "src"), str(_ROOT / "tests"), str(_ROOT / "benchmarks"))


@pytest.fixture
def short_dir() -> Iterator[Path]:
    """A folder with a path short enough for a unix socket in it (108 bytes; ``tmp_path`` is often longer)."""
    path = Path(tempfile.mkdtemp(prefix="jn-", dir="/tmp"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(autouse=True)
def user_modules_go() -> Iterator[None]:
    """What a test imports as a user's code is gone after it: the next one may have a module of the same name."""
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        file = getattr(sys.modules[name], "__file__", None) or ""
        if file and not file.startswith(_LASTING):
            del sys.modules[name]


@pytest.fixture(autouse=True)
def secrets_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process masks the secrets of its node until it ends. Those of a test are no secrets in the next one."""
    monkeypatch.setattr(secrets, "_known", set(secrets._known))
    monkeypatch.setattr(secrets, "_pattern", secrets._pattern)


@pytest.fixture
def free_port() -> int:
    """A TCP port of 127.0.0.1 that was free a moment ago."""
    return unused_port()


@pytest.fixture
def free_ports() -> Callable[[int], list[int]]:
    """Several such ports, all different."""

    def take(count: int) -> list[int]:
        ports: set[int] = set()
        while len(ports) < count:
            ports.add(unused_port())
        return sorted(ports)

    return take


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def owned_threads() -> set[threading.Thread]:
    """Threads that a stopped node may not leave: those that carry our name, and any that would keep a process alive."""
    return {
        thread
        for thread in threading.enumerate()
        if thread is not threading.main_thread() and (thread.name.startswith("junctor") or not thread.daemon)
    }


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    """Fails a test whose node, store or pool left a thread running after it was closed."""
    before = owned_threads()
    yield
    left = owned_threads() - before
    until = time.monotonic() + LEAK_GRACE
    while left and time.monotonic() < until:
        time.sleep(0.01)
        left = {thread for thread in left if thread.is_alive()}
    if left:
        pytest.fail(f"threads left behind: {', '.join(sorted(thread.name for thread in left))}", pytrace=False)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """For ``-n auto``: one more than cores, as tests wait more than they compute."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, object, object]:
    """What a worker sends to the process that tells it must be UTF-8; some tests log half characters."""
    return sendable((yield))


def sendable(part: object) -> object:
    if isinstance(part, str):
        return part.encode(errors="backslashreplace").decode()
    if isinstance(part, dict):
        return {name: sendable(value) for name, value in part.items()}
    if isinstance(part, list | tuple):
        return type(part)(map(sendable, part))
    return part


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("torture") is not None:
        campaigns.long_tests.add(item.nodeid)
        if campaigns.time_is_up():
            pytest.skip("JUNCTOR_MINUTES are over")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.nodeid in campaigns.long_tests and (report.when == "call" or not report.passed):
        campaigns.test_ended(report.nodeid, report.outcome, report.duration)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    lines = list(campaigns.table())
    if lines:
        terminalreporter.section("campaigns")
    for line in lines:
        terminalreporter.write_line(line)
