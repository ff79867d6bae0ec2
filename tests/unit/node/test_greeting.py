"""What a start tells of a flow."""

from __future__ import annotations

from junctor import Flow, Service, handler, setting
from junctor.adapters import HttpOut, Mapping
from junctor.flows import wire
from junctor.node.process.greeting import flow_lines


class Few(Service):
    limit: float = setting(50.0)
    note: str = setting("none", secret=True)

    @handler
    async def on(self, body: dict[str, int]) -> None: ...


def lines(*services: Service) -> list[str]:
    flow = Flow("shop")
    for number, service in enumerate(services):
        flow.add(service, name=f"s{number}")
    return list(flow_lines(wire(flow)))


def test_of_few_settings_all_are_told() -> None:
    assert lines(Few()) == ["flow shop", "  s0  limit=50.0, note=***"]


def test_of_many_those_that_the_flow_sets() -> None:
    url = "http://127.0.0.1/{body.id}"
    assert lines(HttpOut(url=url, bearer="of-me"))[1] == f"  s0  url={url}, bearer=***"


def test_tables_and_long_texts_are_in_one_line() -> None:
    fields = {"id": "body.id", "total": "body.price *\n  body.count"}
    line = lines(Mapping(fields=fields))[1]
    assert line.startswith("  s0  fields={id: body.id, total: body.price * body.count}, rest=drop")
