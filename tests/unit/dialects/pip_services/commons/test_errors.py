"""Errors that travel: what is told, what is not, and that they arrive as they left."""

from __future__ import annotations

import json

import pytest

from junctor.dialects.pip_services.commons import errors
from junctor.dialects.pip_services.commons.convert import JsonConverter
from junctor.dialects.pip_services.commons.errors import (
    ApplicationException,
    ApplicationExceptionFactory,
    BadRequestException,
    ConflictException,
    ErrorCategory,
    ErrorDescription,
    ErrorDescriptionFactory,
    InternalException,
    NotFoundException,
    UnknownException,
)

CLASSES = [
    cls
    for name in errors.__all__
    if isinstance(cls := getattr(errors, name), type) and issubclass(cls, ApplicationException)
]
TYPED = [cls for cls in CLASSES if cls is not ApplicationException]


def test_statuses() -> None:
    statuses = {cls.__name__: cls().status for cls in TYPED}
    others = {name for name, status in statuses.items() if status == 500}
    assert statuses["BadRequestException"] == 400 and statuses["UnauthorizedException"] == 401
    assert statuses["NotFoundException"] == 404 and statuses["ConflictException"] == 409
    assert len(others) == 8 == len(TYPED) - 4


def test_the_json_of_an_error() -> None:
    error = NotFoundException("cid1", "ITEM_NF", "no item").with_details("id", 7)
    assert error.to_json() == {
        "type": None,
        "category": "NotFound",
        "status": 404,
        "code": "ITEM_NF",
        "message": "no item",
        "details": {"id": "7"},
        "correlation_id": "cid1",
        "cause": None,
        "stack_trace": None,
    }


def test_no_stack_trace_leaves_the_server() -> None:
    try:
        try:
            raise ValueError("inner")
        except ValueError as cause:
            raise InternalException("c", "BROKEN", "outer").with_cause(cause) from cause
    except InternalException as error:
        told = json.dumps(error.to_json())
        assert "Traceback" not in told and __file__ not in told
        assert json.loads(told)["cause"] == "inner"
        assert "Traceback" in (error.get_stack_trace_string() or ""), "logs get it"
        assert isinstance(error.__cause__, ValueError)


@pytest.mark.parametrize("cls", TYPED)
def test_there_and_back(cls: type[ApplicationException]) -> None:
    error = cls("cid", "CODE", "what happened").with_details("a", 1).with_status(418)  # type: ignore[arg-type]
    text = JsonConverter.to_json(error.with_cause("because")) or ""
    back = ApplicationExceptionFactory.create(ErrorDescription.from_json(json.loads(text)))
    assert type(back) is cls
    assert back.to_json() == error.to_json()


def test_what_is_missing_in_a_description() -> None:
    back = ApplicationExceptionFactory.create(ErrorDescription.from_json({"message": "m", "category": "Weather"}))
    assert (type(back), back.category, back.code, str(back), back.status) == (
        UnknownException,
        "Weather",
        "UNKNOWN",
        "m",
        500,
    )


def test_errors_of_python_are_unknown() -> None:
    described = ErrorDescriptionFactory.create(ValueError("bad"))
    assert (described.category, described.code, described.status, described.message) == (
        ErrorCategory.Unknown,
        "UNKNOWN",
        500,
        "bad",
    )


def test_wrapping_keeps_an_error_that_can_travel() -> None:
    known, plain = ConflictException("c"), ValueError("x")
    assert BadRequestException("c", "C", "m").wrap(known) is known
    wrapped = ApplicationException.wrap_error(BadRequestException("c", "C", "m"), plain)
    assert isinstance(wrapped, BadRequestException) and wrapped.cause is plain


def test_builders_change_one_thing_each() -> None:
    error = ApplicationException("Cat", "cid", "CODE", "msg").with_code("X").with_correlation_id("other")
    assert (error.code, error.name, error.correlation_id, error.category, str(error)) == (
        "X",
        "X",
        "other",
        "Cat",
        "msg",
    )
    error.set_cause_string("because")
    error.set_stack_trace_string("trace")
    assert (error.get_cause_string(), error.get_stack_trace_string()) == ("because", "trace")
