"""What a status means, and when the other side wants to be asked again."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from junctor.adapters.http.verdict import check_verdicts, retry_after, verdict
from junctor.errors import SettingError

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("statuses", "end"),
    [
        ((200, 201, 202, 204, 206), "done"),
        ((301, 302, 304, 307), "park"),
        ((400, 403, 404, 409, 410, 422, 499), "park"),
        ((408, 425, 500, 501, 505, 599), "retry"),
        ((401, 429, 502, 503, 504), "hold"),
        ((600, 999), "park"),
    ],
)
def test_by_default(statuses: tuple[int, ...], end: str) -> None:
    assert {verdict(status, {}) for status in statuses} == {end}


def test_a_status_counts_before_its_class_and_the_setting_before_the_default() -> None:
    assert verdict(404, {"404": "done"}) == "done"
    assert verdict(404, {"4xx": "retry"}) == "retry"
    assert verdict(429, {"4xx": "done"}) == "hold"
    assert verdict(429, {"4xx": "done", "429": "retry"}) == "retry"
    assert verdict(500, {"5xx": "park"}) == "park"


@pytest.mark.parametrize("name", ["40", "4XX", "600", "1xx", "ok", "404 "])
def test_what_is_no_status_is_refused(name: str) -> None:
    with pytest.raises(SettingError, match="is no status"):
        check_verdicts({name: "done"}, "on")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120.0),
        (" 7 ", 7.0),
        ("0", None),
        ("-5", None),
        ("99999999", 3600.0),
        ("9" * 40, None),
        ("Tue, 01 Jan 2030 12:01:30 GMT", 90.0),
        ("Tue, 01 Jan 2030 12:01:30 -0000", 90.0),
        ("Tue, 01 Jan 2030 13:01:30 +0100", 90.0),
        ("Tuesday, 01-Jan-30 12:00:10 GMT", 10.0),
        ("Tue, 01 Jan 2030 11:00:00 GMT", None),
        ("Fri, 01 Jan 2100 00:00:00 GMT", 3600.0),
        ("", None),
        ("soon", None),
        ("1.5", None),
        ("Tue, 99 Foo 2030 12:01:30 GMT", None),
        ("٣", None),
        ("Tue, 01 Jan 2030 12:01:30 +99999999999999999999", None),
        ("Tue, 99999999999999999999 Jan 2030 12:01:30 GMT", None),
    ],
)
def test_retry_after(text: str, seconds: float | None) -> None:
    assert retry_after(text, NOON, 3600.0) == seconds
