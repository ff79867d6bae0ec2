"""What fits a field: the same in SQL as in Python."""

from __future__ import annotations

import json
from typing import Any

import apsw
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from junctor.core.fields import body_fits
from junctor.core.records import FieldTerm
from junctor.store.fields import fields_term

DB = apsw.Connection(":memory:")
NAMES = st.sampled_from(["a", "b", "a.b", 'q"', "", "\\", "é", "$", "0"])
TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=4)
NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 3) | st.sampled_from([0.5, 1.0, 2.5, -0.0, 1e300])
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS
BODIES = st.recursive(
    SCALARS, lambda part: st.lists(part, max_size=3) | st.dictionaries(NAMES, part, max_size=3), max_leaves=8
)
PATHS = st.lists(NAMES | st.integers(0, 3), max_size=3).map(tuple)
TERMS = st.builds(FieldTerm, PATHS, st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "~"]), SCALARS)


def in_sql(payload: bytes, *terms: FieldTerm) -> bool:
    text, values = fields_term("?", terms)
    [(fits,)] = DB.execute(f"SELECT {text}", [*values, payload])
    return bool(fits)


@given(BODIES, st.lists(TERMS, min_size=1, max_size=3))
@example({"a": 1}, [FieldTerm(("a",), "=", 2**70)])
@example({"a": 1}, [FieldTerm(("a",), "<", 10**400)])
@example({"a": 1}, [FieldTerm(("a",), "!=", float("nan"))])
def test_sql_and_python_agree(body: Any, terms: list[FieldTerm]) -> None:
    payload = json.dumps(body, ensure_ascii=False).encode()
    assert in_sql(payload, *terms) == body_fits(payload, terms)


@given(st.binary(max_size=30))
def test_no_body_raises(payload: bytes) -> None:
    term = FieldTerm(("a",), "!=", "x")
    body_fits(payload, [term])
    in_sql(payload, term)


@pytest.mark.parametrize("payload", [b"", b"[" * 100_000, b"{a:1}", b'{"a":1', b"\xff", bytes(100)])
def test_what_is_no_json_fits_nothing(payload: bytes) -> None:
    for term in (FieldTerm(("a",), "!=", "x"), FieldTerm((), "!=", "x")):
        assert not body_fits(payload, [term])
        assert not in_sql(payload, term)


@pytest.mark.parametrize(
    ("comparison", "value", "fits"),
    [("=", 1, True), ("!=", "1", True), ("<", 2, True), ("~", 1, True), ("~", True, False), (">", None, False)],
)
def test_values_are_compared_within_their_kind(comparison: Any, value: Any, fits: bool) -> None:
    assert body_fits(b'{"a":1}', [FieldTerm(("a",), comparison, value)]) is fits
