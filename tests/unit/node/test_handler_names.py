"""Handlers of one type, as methods of components are, are chosen by their names."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from junctor import Flow
from junctor.core.spec import HandlerSpec, ServiceSpec
from junctor.errors import NoHandler, UnknownOperation
from junctor.node.control.operations import perform


def raws(**arguments: Any) -> dict[str, msgspec.Raw]:
    return {name: msgspec.Raw(msgspec.json.encode(value)) for name, value in arguments.items()}


def controller() -> Flow:
    def handler(name: str) -> HandlerSpec:
        async def told(body: Any) -> str:
            return f"{name} {body}"

        return HandlerSpec(name=name, accepts=Any, replies=Any, bind=lambda made: told)

    handlers = (handler("create"), handler("delete"))
    return Flow("shop").add(ServiceSpec(name="books", build=lambda context: object(), handlers=handlers))


async def test_a_request_names_the_method() -> None:
    async with controller().running(transport="memory") as node:
        asked = await perform(node, "request", raws(service="books", body="x", type="delete"), who="test")
        assert asked == "delete x"


async def test_without_a_name_it_is_refused_with_all_of_them() -> None:
    async with controller().running(transport="memory") as node:
        for kind in (None, "any"):
            with pytest.raises(NoHandler, match=r"create, delete|create"):
                await perform(node, "request", raws(service="books", body="x", type=kind), who="test")


async def test_who_calls_it_is_told_how_to_reach_it() -> None:
    async with controller().running(transport="memory") as node:
        with pytest.raises(UnknownOperation, match="junctor request shop/books BODY --type delete"):
            await perform(node, "call", raws(service="books", action="delete"), who="test")
