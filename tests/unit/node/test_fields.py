"""Terms about fields as people write them."""

from __future__ import annotations

import pytest

from junctor.core.records import FieldTerm
from junctor.node.views.fields import field_term


@pytest.mark.parametrize(
    ("text", "path", "comparison", "value"),
    [
        ("order.id=500", ("order", "id"), "=", 500),
        ("amount > 100.5", ("amount",), ">", 100.5),
        ("amount<=-1", ("amount",), "<=", -1),
        ("name~Ann", ("name",), "~", "Ann"),
        ("name~1e3", ("name",), "~", "1e3"),
        ('name~"a b "', ("name",), "~", "a b "),
        ("lines.0.sku!=X", ("lines", 0, "sku"), "!=", "X"),
        ("paid=true", ("paid",), "=", True),
        ("paid=null", ("paid",), "=", None),
        ('id="500"', ("id",), "=", "500"),
        ("id=007", ("id",), "=", "007"),
        ("note=", ("note",), "=", ""),
        ("url=http://a/?b=c>d", ("url",), "=", "http://a/?b=c>d"),
        ("tags=[1]", ("tags",), "=", "[1]"),
        ("first name = Ann Lee", ("first name",), "=", "Ann Lee"),
        ('"a.b"."0".c\\d=1', ("a.b", "0", "c\\d"), "=", 1),
        ("größe>=2", ("größe",), ">=", 2),
        ("a=\udcff", ("a",), "=", "\udcff"),
    ],
)
def test_a_term(text: str, path: tuple[str | int, ...], comparison: str, value: object) -> None:
    term = field_term(text)
    assert term == FieldTerm(path, comparison, value)  # type: ignore[arg-type]
    assert type(term.value) is type(value)


@pytest.mark.parametrize("text", ["", "id", "=5", "id==5", "a..b=1", ".a=1", '"a=1', "id=>5", 'a"b"=1', '"\\q"=1'])
def test_what_is_no_term(text: str) -> None:
    with pytest.raises(ValueError, match="is no comparison|is not closed"):
        field_term(text)
