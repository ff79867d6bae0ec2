"""What may be a message, and what a component gets."""

from __future__ import annotations

import sys
import types
from dataclasses import dataclass
from typing import Any

import pydantic
import pytest
from werkzeug.test import run_wsgi_app
from werkzeug.wrappers import Response

import junctor
from junctor.dialects import iop
from junctor.dialects.iop.messages import (
    MessageClassImportError,
    SerializationError,
    UntypedMessage,
    checked,
    class_named,
    messages_of,
    received,
)
from junctor.messages import TypeRegistry, type_name


@dataclass
class Order(iop.Message):
    number: int = 0


class Model(pydantic.BaseModel):
    number: int = 0


class Bare(iop.Message):
    number = 0


@junctor.message(name="native")
@dataclass
class Native:
    number: int = 0


@pytest.mark.parametrize("body", [Order(), Model(), Native(), UntypedMessage(a=1), None, ""])
def test_what_may_be_sent(body: Any) -> None:
    assert checked(body) is body


@pytest.mark.parametrize("body", ["text", 0, False, {}, [], object(), Order, (1 for _ in ())])
def test_what_may_not(body: Any) -> None:
    with pytest.raises(TypeError, match="^the message"):
        checked(body)


def test_a_dataclass_that_is_no_message() -> None:
    @dataclass
    class Loose:
        number: int = 0

    with pytest.raises(TypeError, match=r"write class Loose\(Message\), or @junctor.message\(\) above it"):
        checked(Loose())


def test_a_name_of_its_own_stays() -> None:
    @dataclass(slots=True)
    @junctor.message(name="order")
    class Named(iop.Message):
        number: int = 0

    assert type_name(Named) == "order"
    assert TypeRegistry().register(Named).encode(Named(1)) == b'{"number":1}'


def test_a_class_without_the_decorator() -> None:
    with pytest.raises(TypeError, match=r"test_kinds\.Bare must be a dataclass: write @dataclass above class Bare"):
        checked(Bare())


def test_a_generator_is_told_apart() -> None:
    with pytest.raises(TypeError, match="send_generator_request"):
        checked((number for number in range(2)), "the reply")


def test_a_model_that_is_a_dataclass() -> None:
    @dataclass
    class Both(iop.PydanticMessage):
        number: int = 0

    with pytest.raises(SerializationError, match="a pydantic model and a dataclass. Leave out @dataclass"):
        Both()


def test_a_model_of_pydantic_is_named_as_messages_are() -> None:
    class Mine(pydantic.BaseModel):
        pass

    assert type_name(Mine) != f"{__name__}.Mine"
    checked(Mine())
    assert type_name(Mine).startswith(f"{__name__}.")
    checked(Native())
    assert type_name(Native) == "native"


def test_two_modules_with_one_name_of_a_class() -> None:
    @dataclass
    class Order(iop.Message):
        pass

    registry = TypeRegistry()
    assert registry.register(Order) is not registry.register(globals()["Order"])


# Received ------------------------------------------------------------------------------------------------------


def test_a_received_message_knows_its_id() -> None:
    for message in (Order(1), iop.PydanticMessage()):
        assert message.get_iris_id() is None
        assert received(message, "77") is message
        assert message.get_iris_id() == "77"
    assert Order(1) == received(Order(1), "78")
    assert TypeRegistry().register(Order).encode(received(Order(1), "79")) == b'{"number":1}'


def test_a_frozen_one_is_not_changed_for_others() -> None:
    @dataclass(frozen=True)
    class Frozen(iop.Message):
        number: int = 0

    shared = Frozen(1)
    assert received(shared, "1").get_iris_id() == "1"
    assert shared.get_iris_id() is None


def test_json_of_no_known_class_has_its_fields_as_attributes() -> None:
    message = received({"number": 1, "parts": [{"name": "a"}], "inside": {"x": None}}, "80")
    assert (message.number, message["number"], message.parts[0].name, message.inside.x) == (1, 1, "a", None)
    assert message.get_iris_id() == "80"
    assert message == {"number": 1, "parts": [{"name": "a"}], "inside": {"x": None}}
    with pytest.raises(AttributeError, match="no field 'nmber'; its fields: number, parts, inside"):
        _ = message.nmber
    message.number = 2
    del message.parts
    assert checked(message) == {"number": 2, "inside": {"x": None}}


@pytest.mark.parametrize("body", [None, "", "text", 7, Native(1)])
def test_other_bodies_stay_what_they_are(body: Any) -> None:
    assert received(body, "1") is body


# In a web page -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("message", [Order(5), UntypedMessage(number=5)])
def test_a_message_is_a_wsgi_application(message: Any) -> None:
    # What Flask does with whatever a view returns that can be called.
    response = Response.force_type(message, {"REQUEST_METHOD": "GET"})
    assert (response.status_code, response.mimetype, response.get_json()) == (200, "application/json", {"number": 5})
    body, _, _ = run_wsgi_app(message, {"REQUEST_METHOD": "GET"})
    assert b"".join(body) == b'{"number":5}'


def test_so_is_one_of_pydantic() -> None:
    class Reply(iop.PydanticMessage):
        number: int = 5

    assert Response.force_type(Reply(), {"REQUEST_METHOD": "GET"}).get_json() == {"number": 5}


# Found in modules ----------------------------------------------------------------------------------------------


def test_the_messages_that_code_can_name() -> None:
    beside, mine = types.ModuleType("beside"), types.ModuleType("mine")
    beside.__file__, mine.__file__ = "/project/msg.py", "/project/bo.py"
    beside.Order, beside.Bare, beside.Message = Order, Bare, iop.Message  # type: ignore[attr-defined]
    mine.msg, mine.Model, mine.sys = beside, Model, sys  # type: ignore[attr-defined]
    assert set(messages_of(mine)) == {Order, Model}


def test_a_class_by_its_name_where_it_is_imported_already() -> None:
    assert class_named(f"{__name__}.Order") is Order
    assert class_named("not_imported.Order") is None
    assert class_named(f"{__name__}.sys") is None


def test_what_is_not_offered_yet_can_be_written_and_not_made() -> None:
    class Stored(iop.PersistentMessage):
        name: str = iop.Field(max_length=5, default="x")

    with pytest.raises(NotImplementedError, match=r"Stored is a PersistentMessage or Model, which is not offered yet"):
        Stored(name="a")


def test_errors_are_those_that_programs_catch() -> None:
    assert issubclass(MessageClassImportError, SerializationError)
    assert issubclass(MessageClassImportError, ImportError)
    assert str(SerializationError("text")).startswith("text.")
