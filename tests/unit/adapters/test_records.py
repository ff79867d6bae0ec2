"""Plain records, as rows of CSV, as what the receiver declares."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pytest
from msgspec import Meta

from junctor import Flow, Service, handler
from junctor.adapters import FileIn
from junctor.testing import running


@dataclass
class Order:
    name: str
    count: Annotated[int, Meta(ge=1)]
    paid: bool = False
    note: str | None = None


class Shop(Service):
    @handler
    async def take(self, order: Order) -> None: ...


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Callable[[str], Any]]:
    """A flow that reads rows: ``shop("lamp,2,,")``, and what came to the shop of it."""
    files = FileIn(folder=tmp_path, format="csv", ready="none")
    with running(Flow("f").add(files, "files", connect={"out": "shop"}).add(Shop)) as plant:

        def read(row: str) -> Any:
            (tmp_path / "orders.csv").write_text(f"name,count,paid,note\n{row}\n")
            plant.advance("2s")
            return plant.sent("files.out")[-1]

        read.expect_parked = plant.expect_parked  # type: ignore[attr-defined]
        yield read


@pytest.mark.parametrize(
    ("row", "order"),
    [
        ("lamp,2,true,new", Order("lamp", 2, True, "new")),
        ("lamp, 2 ,false,new", Order("lamp", 2, False, "new")),
        (" lamp , 2,, ", Order(" lamp ", 2, False, " ")),
        ("lamp,2,true,", Order("lamp", 2, True, "")),
        (",2,,", Order("", 2, False, "")),  # what is empty does not depend on what else is
    ],
)
def test_numbers_and_truth_values_are_read_from_text_with_blanks_or_without(shop: Any, row: str, order: Order) -> None:
    assert shop(row) == order


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("lamp,many,,", r"Order\.count: .*Expected `int`, got `str`"),
        ("lamp,0,,", r"Order\.count: .*Expected `int` >= 1"),
        ("lamp,,,", "missing required field `count`"),
        ("lamp,2,perhaps,", r"Order\.paid: .*Expected `bool`"),
    ],
)
def test_what_does_not_fit_is_complained_of_as_what_it_is(shop: Any, row: str, told: str) -> None:
    with shop.expect_parked("DecodeError", match=told):
        shop(row)
