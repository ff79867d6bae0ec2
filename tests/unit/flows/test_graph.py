"""junctor graph: nothing of a flow is missing, nothing overlaps, and no text of a flow becomes markup."""

from __future__ import annotations

import dataclasses
import itertools
import json
import random
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from junctor.cli.main import main
from junctor.core.policy import PoolPolicy
from junctor.flows import FlowModel, Wiring, wire, wire_all
from junctor.flows.graph import Box, Drawing, Edge, Entry, drawing_of, mermaid, svg, text
from junctor.flows.graph.layout import Arc, Spot, lay_out
from junctor.flows.wires import when
from junctor.services import Service, Target, action, every, get, handler

SVG = "{http://www.w3.org/2000/svg}"


@dataclasses.dataclass
class Reading:
    value: float


@dataclasses.dataclass
class Verdict:
    high: bool


class Monitor(Service):
    """Measures <often> & "well"."""

    readings: Target[Reading]
    judge: Target[Reading, Verdict]

    @every("2s")
    async def poll(self) -> None: ...

    @action
    async def measure(self) -> None: ...

    @get("/values/{name}")
    async def values(self, name: str) -> str:
        return name


class Alarm(Service):
    @handler
    async def on_reading(self, reading: Reading) -> None: ...


class Judge(Service):
    @handler
    async def judge(self, reading: Reading) -> Verdict:
        return Verdict(True)


def wired() -> Wiring:
    flow = FlowModel("plant")
    ways: list[Any] = [when("alarm", 'body.value > 80.0 && "<b>" != "]"'), "log"]
    flow.add(Monitor, connect={"readings": ways, "judge": "judge"})
    flow.add(Alarm, pool=PoolPolicy(size=4))
    flow.add(Alarm, "log")
    flow.add(Judge)
    return wire(flow)


def test_text_shows_entries_types_replies_and_conditions() -> None:
    assert text(drawing_of([wired()])).splitlines() == [
        "plant",
        "  monitor  every 2 s (poll), GET /values/{name}, action measure",
        '    readings --> alarm  Reading  when body.value > 80.0 && "<b>" != "]"',
        "             --> log    Reading",
        "    judge    <=> judge  Reading => Verdict",
        "  alarm  takes Reading, pool 4",
        "  log  takes Reading",
        "  judge  takes Reading → Verdict",
    ]


def test_mermaid_escapes_what_it_would_read() -> None:
    lines = mermaid(drawing_of([wired()])).splitlines()
    assert lines[:2] == ["flowchart LR", '  subgraph f0["plant"]']
    assert '    s0(["monitor<br/><small>every 2 s</small><br/>' in lines[2]
    assert "#123;name#125;" in lines[2]
    assert '  s0 -->|"Reading<br/>when body.value #62; 80.0 #38;#38; #34;#60;b#62;#34; != #34;#93;#34;"| s1' in lines
    assert '  s0 <-.->|"Reading #8594; Verdict"| s3' in lines
    for line in lines:
        assert line.count('"') in (0, 2)


def test_svg_is_one_wellformed_file_that_needs_nothing_else() -> None:
    drawn = svg(drawing_of([wired()]))
    root = ElementTree.fromstring(drawn)
    assert root.tag == f"{SVG}svg" and root.get("role") == "img"
    assert root.findtext(f"{SVG}title") == "plant"
    described = root.findtext(f"{SVG}desc") or ""
    assert 'plant/monitor sends Reading to plant/alarm when body.value > 80.0 && "<b>" != "]"' in described
    assert "plant/monitor asks Reading of plant/judge" in described
    shown = [node.text for node in root.iter(f"{SVG}text")]
    for name in ("monitor", "alarm", "log", "judge", "plant", "every 2 s", "GET /values/{name}", "pool 4", "readings"):
        assert name in shown, name
    assert "prefers-color-scheme:dark" in drawn
    assert not re.search(r"<script|href|url\((?!#)|@import|<image|<foreignObject", drawn)
    links = [node for node in root.iter(f"{SVG}path") if "link" in (node.get("class") or "")]
    drawn_lines = [node for node in links if node.find(f"{SVG}title") is not None]
    assert len(drawn_lines) == 3
    asks = [node for node in drawn_lines if "ask" in (node.get("class") or "")]
    assert len(asks) == 1 and asks[0].get("marker-start") and asks[0].get("marker-end")


def test_hostile_names_stay_text() -> None:
    evil = '</text><script>alert(1)</script>"]:::x\x00\n'
    box = Box("f/a", "f", evil, (Entry("handler", evil), Entry("route", evil)), ("p",), doc=evil)
    drawing = Drawing((evil,), (placed(box, evil), Box("f/b", evil, "b")), (Edge("f/a", "p", "f/b", evil, "", evil),))
    root = ElementTree.fromstring(svg(drawing))
    assert not list(root.iter(f"{SVG}script"))
    for line in mermaid(drawing).splitlines():
        assert "<script" not in line and line.count('"') in (0, 2)


def placed(box: Box, flow: str) -> Box:
    """The same box in another flow."""
    return Box(box.address, flow, box.name, box.entries, box.ports, box.pool, box.doc)


def test_flows_have_frames_and_what_is_outside_is_dashed() -> None:
    other = FlowModel("other").add(Judge)
    flow = FlowModel("plant").add(Monitor, connect={"readings": "alarm", "judge": "other/judge"}).add(Alarm)
    both = drawing_of(wire_all([flow, other]))
    assert both.flows == ("plant", "other") and not any(box.outside for box in both.boxes)
    root = ElementTree.fromstring(svg(both))
    assert len([node for node in root.iter(f"{SVG}rect") if node.get("class") == "frame"]) == 2
    alone = drawing_of([wire(flow)])
    assert [box.address for box in alone.boxes if box.outside] == ["other/judge"]
    assert "box outside" in svg(alone) and "classDef outside" in mermaid(alone)
    assert "<=> other/judge" in text(alone)


def test_a_service_that_leads_to_itself_and_one_alone() -> None:
    box = Box("f/a", "f", "a", (), ("again",))
    drawing = Drawing(("f",), (box, Box("f/b", "f", "b")), (Edge("f/a", "again", "f/a", "Note", "Note"),))
    shown = [node.text for node in ElementTree.fromstring(svg(drawing)).iter(f"{SVG}text")]
    assert "again ⟲ Note" in shown and "b" in shown


# Layout -----------------------------------------------------------------------------------------------------


def random_graph(chance: random.Random, count: int) -> tuple[dict[str, tuple[float, float]], dict[str, int], list[Arc]]:
    names = [f"s{number}" for number in range(count)]
    sizes = {name: (chance.uniform(80, 220), chance.uniform(36, 160)) for name in names}
    bands = {name: chance.randrange(3) for name in names}
    arcs = []
    for _ in range(int(count * chance.uniform(0.5, 2.5))):
        source, to = chance.sample(names, 2)
        arcs.append(Arc(source, to, (chance.uniform(30, 200), chance.choice([19.0, 34.0]))))
    return sizes, bands, arcs


def overlap(one: Spot, other: Spot) -> bool:
    across = one.x < other.x + other.width - 0.01 and other.x < one.x + one.width - 0.01
    return across and one.y < other.y + other.height - 0.01 and other.y < one.y + one.height - 0.01


@pytest.mark.parametrize("count", [3, 12, 50])
def test_nothing_overlaps_and_lines_bend_only_between_columns(count: int) -> None:
    seed = random.randrange(2**32)
    print("seed", seed)
    chance = random.Random(seed)
    for _ in range(40 if count < 50 else 6):
        sizes, bands, arcs = random_graph(chance, count)
        laid = lay_out(sizes, bands, arcs)
        assert set(laid.boxes) == set(sizes) and len(laid.chains) == len(arcs)
        spots = list(dict.fromkeys([*laid.boxes.values(), *(spot for chain in laid.chains for spot in chain)]))
        for one, other in itertools.combinations(spots, 2):
            assert not overlap(one, other)
        for arc, chain, back in zip(arcs, laid.chains, laid.backwards, strict=True):
            ends = (arc.to, arc.source) if back else (arc.source, arc.to)
            assert (chain[0].name, chain[-1].name) == ends
            assert [spot.column for spot in chain] == list(range(chain[0].column, chain[-1].column + 1))
            assert all(one.right < other.left for one, other in itertools.pairwise(chain))
        # A line that passes a column is level from its left to its right border: nothing else may be there.
        passing = [spot for chain in laid.chains for spot in chain[1:-1]]
        for spot in passing:
            wide = Spot(0, spot.right - spot.left, 0.0, x=spot.left, y=spot.middle)
            assert not any(overlap(wide, other) for other in spots if other is not spot and other.column == spot.column)


def test_the_same_flow_gives_the_same_drawing() -> None:
    assert svg(drawing_of([wired()])) == svg(drawing_of([wired()]))


# The command ------------------------------------------------------------------------------------------------


@pytest.fixture
def in_plant(plant: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    monkeypatch.setenv("ALERT_URL", "http://localhost")
    return plant


def test_the_command_prints_and_writes_each_form(
    in_plant: Callable[..., Path], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for words, begins in (
        ((), "machine-monitor\n  monitor"),
        (("--mermaid",), "flowchart LR\n"),
        (("--svg",), "<svg xmlns"),
        (("--yaml",), "flow: machine-monitor\n"),
        (("--json",), "{\n"),
    ):
        assert main(["graph", "flow.yaml", *words]) == 0
        assert capsys.readouterr().out.startswith(begins), words
    for name, begins in (
        ("a.svg", "<svg"),
        ("a.mmd", "flowchart"),
        ("a.yaml", "flow:"),
        ("a.json", "{"),
        ("a.txt", "m"),
    ):
        assert main(["graph", "flow.yaml", "-o", str(tmp_path / name)]) == 0
        assert (tmp_path / name).read_text().startswith(begins)
        assert f"{name} is written" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == [
        "a.json",
        "a.mmd",
        "a.svg",
        "a.txt",
        "a.yaml",
    ]
    told = json.loads((tmp_path / "a.json").read_text())
    assert [box["address"] for box in told["boxes"]] == ["machine-monitor/monitor", "machine-monitor/alarm"]


def test_one_flow_of_several_is_drawn_alone(in_plant: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    in_plant("here.yaml", "services:\n  monitor: {class: 'monitor:Monitor', connect: {readings: there/alarm}}\n")
    assert main(["graph", "here.yaml"]) == 0
    assert "readings --> there/alarm  Reading" in capsys.readouterr().out
    assert main(["graph", "here.yaml", "flow.yaml"]) == 78
    assert 'there is no flow "there" beside this one' in capsys.readouterr().err


def test_a_flow_that_cannot_be_wired_is_not_drawn(
    in_plant: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    in_plant("flow.yaml", "flow: m\nservices:\n  monitor: {class: 'monitor:Monitor'}\n")
    assert main(["graph", "flow.yaml"]) == 78
    assert "no service handles Reading" in capsys.readouterr().err
