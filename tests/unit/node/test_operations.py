"""The table of operations: every row has a permission, typed parameters and a description."""

from __future__ import annotations

from typing import Any, cast

import pytest

from junctor.errors import ConfigurationError, UnknownOperation
from junctor.node.control import operations
from junctor.node.control.operations import TABLE, perform
from junctor.node.control.table import operation
from junctor.node.control.wire import NotPermitted
from junctor.node.node import Node

NOBODY = cast(Node, None)


def test_every_operation_says_what_it_does_and_needs() -> None:
    assert {"ping", "status", "services", "stop", "call", "send", "request", "messages", "trace", "parked"} < set(TABLE)
    for row in TABLE.values():
        assert row.doc, row.name
        assert row.permission in operations.ALL
        assert Any not in row.parameters.types.values(), f"{row.name} has a parameter without a type"


def test_without_a_permission_it_does_not_register() -> None:
    with pytest.raises(TypeError):
        operation("anything")  # type: ignore[call-arg]
    with pytest.raises(ConfigurationError, match="not a permission"):
        operation("anything", permission="admin")  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match='two operations "status"'):
        operation("status", permission="read")
    assert "anything" not in TABLE


async def test_an_unknown_operation_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownOperation, match='no operation "staus". Did you mean "status"'):
        await perform(NOBODY, "staus", {})


async def test_the_permission_of_the_asker_counts() -> None:
    with pytest.raises(NotPermitted, match='stop: this needs the permission "operate"'):
        await perform(NOBODY, "stop", {}, {"read", "send"})


async def test_unknown_arguments_are_refused() -> None:
    with pytest.raises(UnknownOperation, match='no parameter "limits". Did you mean "limit"'):
        await perform(NOBODY, "messages", {"limits": 3})
