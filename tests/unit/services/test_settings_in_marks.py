"""Schedules that settings decide on, settings that a class checks itself, settings that read themselves from text."""

from __future__ import annotations

import pytest

from junctor import Flow, Service, cron, every, handler, setting
from junctor.core.expressions import Expression, Template
from junctor.core.spec import Context
from junctor.errors import ConfigurationError, SettingError
from junctor.services import spec_of
from junctor.services.alone import Alone
from junctor.settings import Duration


class Poller(Service):
    interval: Duration | None = setting("2s", gt=0)
    report: str = setting("")
    zone: str = setting("")

    @every(interval, repeats=True)
    def poll(self) -> bool:
        return False

    @cron(report, zone=zone)
    def tell(self) -> None: ...

    def check_settings(self) -> None:
        if self.zone and not self.report:
            raise SettingError("only a report has a zone", where="zone", fix="Leave it out.")


class Slow(Poller):
    def poll(self) -> bool:
        return True


def times(source: object, **settings: object) -> dict[str, tuple[object, ...]]:
    spec = spec_of(source, settings=settings)  # type: ignore[arg-type]
    return {one.name: (one.every, one.cron, one.zone, one.repeats) for one in spec.schedules}


def test_the_interval_of_a_setting() -> None:
    assert times(Poller) == {"poll": (2.0, None, None, True)}
    assert times(Poller, interval="100ms") == {"poll": (0.1, None, None, True)}
    assert times(Poller(interval=3)) == {"poll": (3.0, None, None, True)}
    assert times(Slow(interval=3)) == {"poll": (3.0, None, None, True)}


def test_no_interval_is_no_schedule() -> None:
    assert times(Poller, interval=None) == {}


def test_the_calendar_of_a_setting() -> None:
    made = times(Poller, report="0 6 * * 1-5", zone="Europe/Vienna", interval=None)
    assert made == {"tell": (None, "0 6 * * 1-5", "Europe/Vienna", False)}


def test_a_calendar_that_is_none_is_told_where_it_is_written() -> None:
    flow = Flow("f").add(Poller, settings={"report": "61 * * * *"}, places={"report": "flow.yaml:7"})
    with pytest.raises(SettingError, match=r"poller.report \(flow.yaml:7\): '61 \* \* \* \*' is not a schedule"):
        flow.services[0].spec()


def test_the_class_checks_its_settings() -> None:
    with pytest.raises(SettingError, match="only a report has a zone"):
        Poller(zone="Europe/Vienna")
    flow = Flow("f").add(Poller, "p", settings={"zone": "Europe/Vienna"}, places={"zone": "flow.yaml:9"})
    with pytest.raises(SettingError, match=r"p.zone \(flow.yaml:9\): only a report has a zone"):
        flow.services[0].spec()


class Shop(Service):
    total: Expression = setting("body.price * 1.2")
    path: Template = setting("{body.id}.json")
    fields: dict[str, Expression] = setting({})

    @handler
    def take(self, body: dict) -> None: ...  # type: ignore[type-arg]


def test_settings_read_themselves_from_text() -> None:
    shop = Shop(total="body.a", fields={"x": "body.y"})
    assert (shop.total, shop.path, shop.fields) == (
        Expression("body.a"),
        Template("{body.id}.json"),
        {"x": Expression("body.y")},
    )


def test_one_that_does_not_parse_is_told_with_its_place() -> None:
    flow = Flow("f").add(Shop, settings={"fields": {"x": "body."}}, places={"fields": "flow.yaml:3"})
    with pytest.raises(SettingError, match=r"shop.fields \(flow.yaml:3\): `body.` is not an expression"):
        flow.services[0].spec()


def test_an_interval_of_a_wrong_kind() -> None:
    with pytest.raises(ConfigurationError, match="@every needs an interval"):
        every(None)  # type: ignore[arg-type]


class Quiet(Service):
    path: Template = setting("/{body.id}?token=abcd", secret=True)
    ports: list[int] = setting([4711], secret=True)

    @handler
    def take(self, body: dict) -> None: ...  # type: ignore[type-arg]


def test_what_is_secret_does_not_show_whatever_its_type() -> None:
    spec = spec_of(Quiet)
    assert "token" not in repr(spec.settings)
    assert "4711" not in repr(spec.settings)
    port: object = Alone("quiet")
    service = spec.build(Context(flow="f", service="quiet", settings=spec.settings, port=port))  # type: ignore[arg-type]
    assert (service.path, service.ports) == (Template("/{body.id}?token=abcd"), [4711])


def test_what_does_not_fit_together_is_told_where_the_service_is_written() -> None:
    flow = Flow("f").add(Poller, "p", settings={"zone": "Europe/Vienna"}, place="flow.yaml:3")
    with pytest.raises(SettingError, match=r"p.zone \(flow.yaml:3\): only a report has a zone"):
        flow.services[0].spec()
