"""Both transports for every test that asks for ``store``; only the durable one where a node is started again."""

from __future__ import annotations

from pathlib import Path

import pytest

from junctor.clock import VirtualClock
from tests.unit.runtime.flowkit import Store


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return Store(request.param, tmp_path / "store")


@pytest.fixture
def durable(tmp_path: Path) -> Store:
    return Store("sqlite", tmp_path / "store")


@pytest.fixture
def memory(tmp_path: Path) -> Store:
    return Store("memory", tmp_path)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()
