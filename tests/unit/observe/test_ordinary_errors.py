"""What is wrong with the user's part is told without the lines of the engine."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from junctor.errors import ConfigurationError, DecodeError, EncodeError, SettingError
from junctor.observe.frames import point_to, stack_text, traceback_text, users_place
from junctor.runtime.failures import failure_of

CODE = """
import sys
from junctor import Service, action, handler, setting

def wrapped(call):
    def inner(*args):
        return call(*args)
    inner.__wrapped__ = call
    return inner


class Odd(Service):
    limit: float = setting(5.0)

    @handler
    @wrapped
    async def on_text(self, text: str) -> int:
        return text


def stack(look):
    return look()
"""


def load_file(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def odd(tmp_path: Path) -> Iterator[Any]:
    (tmp_path / "odd.py").write_text(CODE)
    yield load_file(tmp_path / "odd.py")


def test_an_error_of_ours_without_code_of_the_user_has_no_traceback() -> None:
    assert failure_of(through_the_engine()).traceback == ""
    assert traceback_text(through_the_engine(), None) == ""


def through_the_engine() -> Exception:
    from junctor.messages import TypeRegistry

    try:
        TypeRegistry().register(int).read(b'"x"', 1, "f/odd.on_int")
    except DecodeError as error:
        error.__traceback__ = error.__traceback__.tb_next if error.__traceback__ else None  # without this test
        return error
    raise AssertionError


def test_what_a_handler_returned_leads_to_its_line(odd: Any) -> None:
    error = EncodeError("the handler declares int and returned str")
    point_to(error, odd.Odd().on_text)
    failure = failure_of(error)
    assert failure.traceback.strip().endswith("odd.py:17, in on_text: async def on_text(self, text: str) -> int:")
    assert users_place(error) is not None
    other = EncodeError("the same")
    point_to(other, len)
    assert failure_of(other).traceback == ""


def test_a_stack_begins_with_the_users_line(odd: Any) -> None:
    text = odd.stack(lambda: stack_text(sys._getframe()))
    assert text.splitlines()[0].endswith("lambda: stack_text(sys._getframe()))")
    assert "odd.py" in text
    assert "_pytest" not in text.splitlines()[1]
    assert stack_text(None) == ""


def test_a_wrong_setting_in_a_script_shows_the_line_of_the_script(odd: Any) -> None:
    with pytest.raises(SettingError) as told:
        odd.Odd(limit="x")
    text = "".join(traceback.format_exception(told.value))
    assert "msgspec" not in text and "declaration.py" not in text and "direct cause" not in text
    assert text.rstrip().endswith('Odd.limit: expected float, got "x". Give a number, for example 5.')


def test_a_class_of_the_user_that_refuses_a_setting_is_shown(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        "from dataclasses import dataclass\nfrom junctor import Service, setting, action\n@dataclass\nclass Even:\n"
        "    n: int\n    def __post_init__(self):\n        if self.n % 2: raise ValueError('odd!')\n"
        "class S(Service):\n    even: Even = setting(Even(2))\n    @action\n    def a(self): ...\n"
    )
    with pytest.raises(SettingError) as told:
        load_file(tmp_path / "own.py").S(even={"n": 1})
    assert told.value.__cause__ is not None


@pytest.mark.parametrize("mark", ["action", "handler", "get('/x')"])
@pytest.mark.parametrize(
    ("given", "fix"),
    [("", "self"), ("order: int", "self, order: int"), ("*, a: int = 1", "self, a: int = 1"), ("**all", "self, **all")],
)
def test_a_method_without_self(tmp_path: Path, mark: str, given: str, fix: str) -> None:
    from junctor.flows import load, wire

    marks = "from junctor import Service, action, get, handler\n"
    text = f"{marks}class S(Service):\n    @{mark}\n    def reset({given}): ...\n"
    (tmp_path / "c_selfless.py").write_text(text)
    with pytest.raises(ConfigurationError) as told:
        wire(load(str(tmp_path / "c_selfless.py")))
    line = str(told.value)
    assert line == f"S.reset (c_selfless.py:3): reset takes no self. Write def reset({fix})."


@pytest.mark.parametrize("first", ["self", "this", "self: 'S'", "self: Self"])
def test_a_method_with_it(tmp_path: Path, first: str) -> None:
    from junctor.flows import load, wire

    (tmp_path / "fine.py").write_text(
        "from typing import Self\nfrom junctor import Service, action\n"
        f"class S(Service):\n    @action\n    def reset({first}): ...\n"
    )
    wire(load(str(tmp_path / "fine.py")))
