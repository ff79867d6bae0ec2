"""Records of a stream: what they are, where they are, and that reading can go on behind any of them."""

from __future__ import annotations

import csv
import gzip
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from junctor.adapters.file.formats import Layout, Place, Record, Unreadable, base, records, split

BEGIN = Place()


def read(data: bytes, place: Place = BEGIN, **layout: Any) -> list[Record]:
    return list(records(io.BytesIO(data), Layout(**layout), place))


def values(data: bytes, **layout: Any) -> list[Any]:
    return [record.value for record in read(data, **layout)]


def assert_goes_on_anywhere(data: bytes, **layout: Any) -> None:
    whole = read(data, **layout)
    for number, record in enumerate(whole):
        assert read(data, Place(record.end, record.next_line), **layout) == whole[number + 1 :]


@pytest.mark.parametrize(
    ("data", "layout", "expected"),
    [
        (b"a\nb\r\n\nc", {}, ["a", "b", "", "c"]),
        (b"\xef\xbb\xbfa\nb\n", {}, ["a", "b"]),
        (b"a|b|", {"separator": "|"}, ["a", "b"]),
        (b"a\x1e\r\nb\x1e", {"separator": "\x1e"}, ["a", "\r\nb"]),
        ("ä\nö".encode("cp1252"), {"encoding": "cp1252"}, ["ä", "ö"]),
        ("\ufeffਊa\nਊ\n".encode("utf-16-le"), {"encoding": "utf-16-le"}, ["ਊa", "ਊ"]),
        (b"a\xff\n", {"undecodable": "replace"}, ["a\ufffd"]),
        (b'{"a": 1}\n\n [2] \r\n"x"', {"format": "json-lines"}, [{"a": 1}, [2], "x"]),
        ('{"a": "ä"}\n'.encode("latin-1"), {"format": "json-lines", "encoding": "latin-1"}, [{"a": "ä"}]),
        (b"n,t\n1,x\n\n2,y", {"format": "csv"}, [{"n": "1", "t": "x"}, {"n": "2", "t": "y"}]),
        (b'n;t\n1;"a;b\nc"\n', {"format": "csv", "delimiter": ";"}, [{"n": "1", "t": "a;b\nc"}]),
        (b"1,x\n2\n", {"format": "csv", "header": False, "columns": ("n", "t")}, [{"n": "1", "t": "x"}, {"n": "2"}]),
        (b"A,B\n1,x\n", {"format": "csv", "columns": ("n", "t")}, [{"n": "1", "t": "x"}]),
        (b"\xef\xbb\xbfn\n1\n", {"format": "csv"}, [{"n": "1"}]),
        (b'n,t\n1,"a"\n', {"format": "csv", "quote": ""}, [{"n": "1", "t": '"a"'}]),
        (b"", {"format": "csv"}, []),
        (b' [1, {"a": [2]} ,"]", 1.5e3\n]\n', {"format": "json"}, [1, {"a": [2]}, "]", 1500.0]),
        (b"[]", {"format": "json"}, []),
        (b'{"a":\n 1}\n', {"format": "json"}, [{"a": 1}]),
        (b"12", {"format": "json"}, [12]),
        (b"", {"format": "json"}, []),
        (b"\xef\xbb\xbf[1]", {"format": "json"}, [1]),
        ("ä\nö\r\n".encode(), {"format": "text"}, ["ä\nö\r\n"]),
        (b"\x00\xff", {"format": "bytes"}, [b"\x00\xff"]),
        (b"\x00\xff", {"format": "base64"}, ["AP8="]),
        (b"", {"format": "text"}, []),
        (b"", {"format": "text", "empty": True}, [""]),
    ],
)
def test_what_is_read(data: bytes, layout: dict[str, Any], expected: list[Any]) -> None:
    assert values(data, **layout) == expected
    assert_goes_on_anywhere(data, **layout)


def test_lines_are_counted_as_an_editor_does() -> None:
    assert [each.line for each in read(b'n,t\n1,"a\nb"\n2,c\n', format="csv")] == [2, 4]
    assert [each.line for each in read(b'[\n1,\n\n{"a":\n1}, 3]', format="json")] == [2, 4, 5]
    assert [each.line for each in read(b"1\n\n2\n", format="json-lines")] == [1, 3]


def test_what_is_no_record_of_the_format_comes_as_it_stands_there() -> None:
    broken = read(b'{"a": 1}\n{"a": \n', format="json-lines")[1]
    assert broken.value == '{"a": ' and broken.problem.startswith("not JSON") and broken.line == 2
    wide = read(b"n,t\n1,2,3\n", format="csv")[0]
    assert (wide.value, wide.problem) == (["1", "2", "3"], "3 cells for 2 columns")
    number = read(b"[NaN, 1]", format="json")
    assert [each.value for each in number] == ["NaN", 1] and number[0].problem


@pytest.mark.parametrize(
    ("data", "layout", "text"),
    [
        (b"a\nb\xff", {}, "line 2: byte 0xff is not utf-8"),
        (b'"\xff"\n', {"format": "json-lines"}, "line 1: byte 0xff is not utf-8"),
        (b"a\xff", {"format": "text"}, "line 1: byte 0xff is not utf-8"),
        (b"a\n" + b"b" * 20, {"limit": 10}, "line 2: the record is longer than the limit of 10 bytes"),
        (b'n\n"' + b"b\n" * 9, {"format": "csv", "limit": 10}, "the row is longer than the limit of 10 bytes"),
        (b",\n", {"format": "csv"}, "there are no names of columns"),
        (b"n,m,n\n", {"format": "csv"}, "the header names the column 'n' twice"),
        (b"n\n\xff\n", {"format": "csv"}, "line 2: byte 0xff is not utf-8"),
        (b"n\na\rb\n", {"format": "csv"}, "line 2: not CSV: new-line character"),
        (b"[1, 2", {"format": "json"}, "the list ends without its bracket"),
        (b"[1 2]", {"format": "json"}, "'2' where a comma is expected"),
        (b"[1] x", {"format": "json"}, "'x' behind the end"),
        (b"[1, nix]", {"format": "json"}, "not JSON"),
        (b'{"a": 1', {"format": "json"}, "not JSON"),
        (b"[" * 100_000, {"format": "json"}, "too deep"),
        (b'["' + b"x" * 600_000, {"format": "json", "limit": 1000}, "longer than the limit of 1,000 bytes"),
        (b"12345", {"format": "bytes", "limit": 4}, "the file is longer than the limit of 4 bytes"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(data: bytes, layout: dict[str, Any], text: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read(data, **layout)
    assert text in str(caught.value)


def test_the_records_before_an_unreadable_one_are_read() -> None:
    stream = records(io.BytesIO(b"a\nb\n\xff\n"), Layout(), Place())
    assert [next(stream).value, next(stream).value] == ["a", "b"]
    with pytest.raises(Unreadable):
        next(stream)


@pytest.fixture(params=[1, 2, 7, 64])
def small_chunks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    from junctor.adapters.file.formats import document

    for module in (base, split, document):
        monkeypatch.setattr(module, "CHUNK", request.param)


@pytest.mark.usefixtures("small_chunks")
def test_it_does_not_matter_where_the_stream_is_cut() -> None:
    lines = ["", "a", "äöü", "\t", "x" * 100]
    assert values("\n".join([*lines, ""]).encode()) == lines
    wide = "\n".join([*lines, ""]).encode("utf-16-be")
    assert values(wide, encoding="utf-16-be") == lines
    document = [{"ä": ']\\"['}, [[], {}], 12345678901, -1.5e-7, True, None, "\U0001f600"]
    for indent in (None, 1):
        data = json.dumps(document, indent=indent, ensure_ascii=False).encode()
        assert values(data, format="json") == document
        assert_goes_on_anywhere(data, format="json")


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(_json), st.sampled_from([None, 2]))
def test_a_list_of_json_is_read_as_the_library_reads_it(document: list[Any], indent: int | None) -> None:
    data = json.dumps(document, ensure_ascii=False, indent=indent).encode("utf-8", "replace")
    assert values(data, format="json") == json.loads(data)
    assert_goes_on_anywhere(data, format="json")


_cells = st.text(st.characters(exclude_characters="\r\x00", exclude_categories=["Cs"]))


@given(st.lists(st.lists(_cells, min_size=2, max_size=2), max_size=8), st.sampled_from([",", ";", "\t"]))
def test_rows_are_read_as_they_were_written(cells: list[list[str]], delimiter: str) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows([["a", "b"], *cells])
    data = text.getvalue().encode()
    found = values(data, format="csv", delimiter=delimiter)
    assert [list(row.values()) for row in found] == cells
    assert_goes_on_anywhere(data, format="csv", delimiter=delimiter)


@given(st.lists(st.text(st.characters(exclude_characters="\n\r", exclude_categories=["Cs"]))))
def test_lines_are_read_as_they_were_written(lines: list[str]) -> None:
    data = "".join(f"{line}\n" for line in lines).encode()
    if not data.startswith(b"\xef\xbb\xbf"):
        assert values(data) == lines
        assert_goes_on_anywhere(data)


def test_a_compressed_stream_goes_on_anywhere() -> None:
    data = gzip.compress(b"".join(b"%d\n" % n for n in range(1000)))
    stream = gzip.GzipFile(fileobj=io.BytesIO(data))
    place = next(record for record in records(stream, Layout(), Place()) if record.value == "500")
    stream = gzip.GzipFile(fileobj=io.BytesIO(data))
    rest = records(stream, Layout(), Place(place.end, place.next_line))  # type: ignore[arg-type]
    assert [record.value for record in rest] == [str(n) for n in range(501, 1000)]
