"""Maps, lists and single values with typed access, pages and what else data needs."""

from __future__ import annotations

from datetime import datetime

import pytest

from junctor.dialects.pip_services.commons.convert import JsonConverter, TypeCode
from junctor.dialects.pip_services.commons.data import (
    AnyValue,
    AnyValueArray,
    AnyValueMap,
    DataPage,
    FilterParams,
    IdGenerator,
    IStringIdentifiable,
    ITrackable,
    MultiString,
    PagingParams,
    ProjectionParams,
    SortField,
    SortParams,
    StringValueMap,
    TagsProcessor,
    TokenizedDataPage,
    TokenizedPagingParams,
)


def test_maps_keep_what_their_kind_keeps() -> None:
    assert AnyValueMap.from_tuples("a", 1, "b", [2]) == {"a": 1, "b": [2]}
    assert StringValueMap.from_tuples("a", 1, "b", None) == {"a": "1", "b": None}
    assert FilterParams.from_tuples("name", "x", "age", 5) == {"name": "x", "age": "5"}
    assert FilterParams.from_value({"a": 1}) == {"a": "1"} and FilterParams.from_string("a=1;b=2") == {
        "a": "1",
        "b": "2",
    }
    assert AnyValueMap.from_maps({"a": 1}, None, {"a": 2}) == {"a": 2}
    assert str(AnyValueMap.from_tuples("a", 1, "b", None)) == "a=1;b"


def test_maps_are_typed_on_the_way_out() -> None:
    values = AnyValueMap({"n": "5", "list": (1, 2), "map": {"x": "7"}, "at": "2020-01-02"})
    assert values.get_as_integer("n") == 5
    assert values.get_as_array("list").get_as_string(1) == "2"
    assert values.get_as_map("map").get_as_float("x") == 7.0
    assert isinstance(values.get_as_datetime("at"), datetime)
    assert values.get_as_nullable_map("n") is None and values.get_as_array_with_default("no", [1]) == [1]
    assert values.contains_key("n") and not values.contains_key("no")
    values.set_as_object({"only": 1})
    values.set_as_object("more", 2)
    assert values.get_as_object() == {"only": 1, "more": 2} and values.length() == 2
    assert values.get_keys() == ["only", "more"]


def test_lists_go_by_index() -> None:
    values = AnyValueArray.from_values(1, "2", 2)
    assert values.get_as_integer(1) == 2 and values.get_as_nullable_string(9) is None
    values.remove(1)
    values.put(3, "x")
    assert values == [1, 2, None, "x"] and str(values) == "1,2,,x"
    assert values.contains_as_type(TypeCode.Integer, "2") and not values.contains("2")
    assert AnyValueArray.from_string("a,b,a", ",", True) == ["a", "b"]
    assert AnyValueArray.from_value(None) == []


def test_one_value() -> None:
    value = AnyValue("5")
    assert (value.get_as_integer(), value.get_as_boolean(), value.get_as_float()) == (5, False, 5.0)
    assert value == 5 and value.equals("5") and not value.equals(6) and value.equals_as_type(TypeCode.Integer, "5")
    assert AnyValue(value).get_as_object() == "5" and str(value) == "5" and value.clone() == value
    assert AnyValue(None) != 0 and AnyValue(None).get_type_code() is TypeCode.Unknown
    assert AnyValue([1]).get_as_array() == [1] and AnyValue({"a": 1}).get_as_map() == {"a": 1}


@pytest.mark.parametrize(
    ("skip", "take", "expected"),
    [(None, None, (0, 100)), (5, 10, (5, 10)), (-1, 1000, (0, 100)), ("3", "4", (3, 4)), (0, -5, (0, 0))],
)
def test_pages_are_held_to_bounds(skip: object, take: object, expected: tuple[int, int]) -> None:
    paging = PagingParams(skip, take)
    assert (paging.get_skip(0), paging.get_take(100)) == expected


def test_paging_from_what_requests_bring() -> None:
    for paging in (
        PagingParams.from_value({"skip": "1", "take": 2, "total": "true"}),
        PagingParams.from_tuples("skip", 1, "take", "2", "total", "yes"),
        PagingParams.from_json({"skip": 1, "take": 2, "total": True}),
    ):
        assert paging is not None
        assert paging.to_json() == {"skip": 1, "take": 2, "total": True} and paging.has_total()
    assert PagingParams.from_json(None) is None and PagingParams.from_value(None).to_json()["total"] is False
    tokens = TokenizedPagingParams.from_tuples("token", "t", "take", "5")
    assert (tokens.token, tokens.get_take(3), tokens.has_total()) == ("t", 3, False)


def test_pages_there_and_back() -> None:
    page = DataPage([{"id": "1"}], 1)
    text = JsonConverter.to_json(page)
    assert text == '{"total": 1, "data": [{"id": "1"}]}'
    back: DataPage[dict[str, str]] | None = DataPage.from_json(JsonConverter.to_nullable_map(text))
    assert back is not None and (back.data, back.total) == (page.data, 1)
    assert DataPage.from_json(None) is None
    assert TokenizedDataPage([1], "next").token == "next"


def test_ids() -> None:
    assert len(IdGenerator.next_short()) == 9 and IdGenerator.next_short().isdigit()
    assert len(IdGenerator.next_long()) == 32 and int(IdGenerator.next_long(), 16) >= 0
    assert len({IdGenerator.next_long() for _ in range(1000)}) == 1000


def test_fields_that_are_asked_for() -> None:
    assert ProjectionParams.from_string("id, owner(id,name(first)),age") == [
        "id",
        "owner.id",
        "owner.name.first",
        "age",
    ]
    assert ProjectionParams.from_value(["a", 1]) == ["a", "1"] and str(ProjectionParams(["a", "b"])) == "a,b"
    assert ProjectionParams.from_string("a", "b,,") == ["a", "b"] and ProjectionParams.from_value(None) == []


def test_texts_in_languages() -> None:
    text = MultiString.from_tuples("de", "Hallo", "en", "Hello")
    assert (text.get("de"), text.get("fr"), text.get_languages()) == ("Hallo", "Hello", ["de", "en"])
    assert MultiString({"fr": "Salut"}).get("de") == "Salut" and MultiString().get("de") is None


def test_tags() -> None:
    assert TagsProcessor.normalize_tag("  A_Tag#x ") == "A Tag x" and TagsProcessor.compress_tag(" A_Tag ") == "atag"
    assert TagsProcessor.equal_tags("A_Tag", "#atag") and TagsProcessor.normalize_tag(None) is None
    assert TagsProcessor.normalize_tag_list("A_b;;c") == ["A b", "c"]
    value = {"tags": ["One"], "title": {"en": "see #Two", "de": "#two"}, "text": "#three"}
    assert TagsProcessor.extract_hash_tags_from_value(value, "title", "text") == ["one", "two", "three"]


def test_marks_have_their_fields() -> None:
    class Stored(IStringIdentifiable, ITrackable): ...

    assert (Stored().id, Stored().create_time, Stored().change_time, Stored().deleted) == (None, None, None, None)
    assert [field.name for field in SortParams(SortField("a"), SortField("b", False))] == ["a", "b"]
