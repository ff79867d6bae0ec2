"""State in a service without a node: copies, keys, plain values; the same habits as in a node."""

from __future__ import annotations

import dataclasses
import math

import pytest

from junctor.errors import EncodeError
from junctor.services import Service, State


@dataclasses.dataclass
class Reading:
    value: float


@pytest.fixture
def state() -> State:
    return Service().state


def test_it_is_a_mapping(state: State) -> None:
    assert not state
    state["a"] = 1
    state.update(b=[1], c=None)
    assert dict(state) == {"a": 1, "b": [1], "c": None}
    assert len(state) == 3
    assert "c" in state
    assert "d" not in state
    assert state.setdefault("a", 5) == 1
    assert state.pop("a") == 1
    del state["b"]
    assert list(state) == ["c"]
    assert repr(state) == "State({'c': None})"


def test_a_value_is_a_copy_until_it_is_assigned(state: State) -> None:
    state["list"] = [1]
    read = state["list"]
    read.append(2)
    assert state["list"] == [1]
    state["list"] = read
    read.append(3)
    assert state["list"] == [1, 2]


def test_keys_are_apart(state: State) -> None:
    state.of("a")["n"] = 1
    state.of("b")["n"] = 2
    assert state.of("a")["n"] == 1
    assert "n" not in state


def test_a_value_comes_back_plain_or_as_the_type_asked_for(state: State) -> None:
    state["readings"] = [Reading(1.5)]
    assert state["readings"] == [{"value": 1.5}]
    assert state.get("readings", type=list[Reading]) == [Reading(1.5)]
    assert state.get("nothing", 7) == 7
    assert state.get("nothing") is None


def test_what_is_not_there(state: State) -> None:
    with pytest.raises(KeyError, match="nothing"):
        _ = state["nothing"]
    with pytest.raises(KeyError, match="nothing"):
        del state["nothing"]


@pytest.mark.parametrize("value", [object(), math.nan, {"a": math.inf}])
def test_what_json_cannot_carry_is_refused_when_it_is_assigned(state: State, value: object) -> None:
    with pytest.raises(EncodeError):
        state["a"] = value
    assert "a" not in state


def test_services_do_not_share_state() -> None:
    Service().state["a"] = 1
    assert not Service().state
