"""Productions as dictionaries, Python, XML, graphs and flowcharts; what is written is read back as the same."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from junctor.dialects.iop import BusinessOperation, BusinessService, Production, target
from junctor.dialects.iop.definition import ItemDefinition, ProductionDefinition, SettingValue
from junctor.dialects.iop.production import ShapeError
from junctor.dialects.iop.production.shape import from_shape, to_shape

# Arbitrary productions ----------------------------------------------------------------------------------------

_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
_NAME = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12).filter(str.strip)
_SETTINGS = st.lists(
    st.builds(SettingValue, _NAME, _TEXT, st.sampled_from(["Host", "Adapter", "Other"])),
    max_size=4,
    unique_by=lambda one: (one.name, one.target),
).map(tuple)
_ITEM = st.builds(
    ItemDefinition,
    name=_NAME,
    class_name=_NAME,
    category=_TEXT,
    pool_size=st.integers(0, 99),
    enabled=st.booleans(),
    foreground=st.booleans(),
    comment=_TEXT,
    log_trace_events=st.booleans(),
    schedule=_TEXT,
    adapter_class_name=_TEXT,
    settings=_SETTINGS,
)
PRODUCTIONS = st.builds(
    ProductionDefinition,
    name=_NAME.filter(lambda name: name != "Production"),
    testing_enabled=st.booleans(),
    log_general_trace_events=st.booleans(),
    actor_pool_size=st.integers(0, 99),
    description=_TEXT,
    settings=_SETTINGS,
    items=st.lists(_ITEM, max_size=4, unique_by=lambda item: item.name).map(tuple),
)


@given(PRODUCTIONS)
@settings(max_examples=40)
def test_the_dictionary_of_a_production_is_read_as_that_production(definition: ProductionDefinition) -> None:
    reading = from_shape(to_shape(definition))
    assert reading.definition == definition
    assert reading.warnings == []
    assert Production.from_definition(definition).to_definition() == definition


@given(PRODUCTIONS)
@settings(max_examples=40)
def test_the_python_of_a_production_makes_that_production(definition: ProductionDefinition) -> None:
    names: dict[str, Any] = {}
    exec(Production.from_definition(definition).to_python(), names)
    assert names["prod"].to_definition() == definition
    assert names["PRODUCTIONS"] == [names["prod"]]


@given(PRODUCTIONS)
@settings(max_examples=30)
def test_the_xml_of_a_production_has_all_of_it(definition: ProductionDefinition) -> None:
    root = ElementTree.fromstring(Production.from_definition(definition).to_xml())
    assert [item.attrib["Name"] for item in root.findall("Item")] == [item.name for item in definition.items]
    written = [[one.text or "" for one in item.findall("Setting")] for item in root.findall("Item")]
    assert written == [[one.value for one in item.settings] for item in definition.items]


_KEYS = st.sampled_from(
    ["@Name", "@ClassName", "@PoolSize", "@Enabled", "@Target", "#text", "Item", "Setting", "ActorPoolSize", "odd", "D"]
)
_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.just(BusinessOperation),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(_KEYS, parts, max_size=5),
    max_leaves=12,
)


@given(_ANYTHING)
def test_whatever_is_written_is_read_or_refused_with_its_place(data: Any) -> None:
    with contextlib.suppress(ShapeError):
        reading = from_shape({"D": data})
        composed = Production.from_definition(reading.definition)
        assert composed.to_definition() == reading.definition
        composed.validate()
        composed.to_mermaid()


# One production -----------------------------------------------------------------------------------------------


class FileService(BusinessService):
    Output = target()

    def on_process_input(self, message_input: Any = None) -> Any:
        return self.send_request_sync(self.Output, message_input)


class OrderOperation(BusinessOperation):
    pass


def _demo() -> Production:
    prod = Production("Demo.Production", description='with "quotes" & <signs>')
    prod.service("FileInput", FileService, class_name="Python.demo.FileService")
    prod.operation("OrderOperation", OrderOperation, class_name="Python.demo.OrderOperation", enabled=False)
    return prod.connect("FileInput.Output", ["OrderOperation", "Missing"])


def test_the_graph_as_text() -> None:
    assert str(_demo().graph()) == (
        "Demo.Production\n"
        "  FileInput [Python.demo.FileService]\n"
        "    Output -> OrderOperation\n"
        "    Output -> Missing (unresolved)\n"
        "  OrderOperation [Python.demo.OrderOperation]"
    )
    assert _demo().graph().warnings == ("FileInput.Output leads to Missing, which is no item",)


def test_the_flowchart() -> None:
    assert _demo().to_mermaid() == (
        "flowchart LR\n"
        "  %% Production: Demo.Production\n"
        '  subgraph group_service["Services"]\n'
        "    direction TB\n"
        '    node_FileInput["FileInput<br/>Python.demo.FileService"]\n'
        "  end\n"
        '  subgraph group_operation["Operations"]\n'
        "    direction TB\n"
        '    node_OrderOperation["OrderOperation<br/>Python.demo.OrderOperation<br/>(disabled)"]\n'
        "  end\n"
        '  node_Missing["Missing<br/>(unresolved)"]\n'
        "  node_FileInput ~~~ node_OrderOperation\n"
        '  node_FileInput <-- "Output" --> node_Missing\n'
        '  node_FileInput <-- "Output" --> node_OrderOperation'
    )


def test_names_that_mermaid_does_not_take_are_told_apart() -> None:
    prod = Production("D\nx")
    prod.operation("a.b", class_name='q"<x>')
    prod.operation("a_b", class_name="y")
    chart = prod.to_mermaid("TB")
    assert 'node_a_b["a.b<br/>q#quot;#lt;x#gt;"]' in chart
    assert 'node_a_b_2["a_b<br/>y"]' in chart
    assert "%% Production: D x" in chart


def test_what_the_code_sends_to_a_written_name_is_in_the_graph() -> None:
    class Caller(BusinessService):
        where = "Python.Second"

        def on_process_input(self, message_input: Any = None) -> None:
            self.send_request_sync("Python.First", message_input)
            self.send_request_async(self.where, message_input)

    prod = Production("D")
    prod.service("In", Caller)
    assert [(edge.target, edge.origin, edge.interaction) for edge in prod.graph().edges] == [
        ("Python.First", "code", "sync"),
        ("Python.Second", "code", "request"),
    ]


def test_the_python_runs_in_a_fresh_interpreter(tmp_path: Path) -> None:
    prod = _demo()
    prod.item("FileInput").host_setting("Note", 'it\'s \\ and "that"\nand more').adapter_setting("Port", 80)
    file = tmp_path / "demo.py"
    file.write_text(prod.to_python() + "\nimport json\nprint(json.dumps(prod.to_dict()))\n")
    done = subprocess.run([sys.executable, file], capture_output=True, text=True, check=True)
    assert msgspec.json.decode(done.stdout) == prod.to_dict()


def test_the_difference_of_two_productions() -> None:
    before, after = _demo(), _demo()
    after.item("FileInput").pool(3).host_setting("Note", "x")
    after.delete_component("OrderOperation")
    after.operation("New", class_name="Python.New")
    assert str(after.diff(before)) == (
        "Demo.Production\n  - OrderOperation\n  ~ FileInput.pool_size: 1 -> 3\n  + FileInput.Host.Note: 'x'\n  + New"
    )
    assert not after.diff(after.to_definition())


# Shapes -------------------------------------------------------------------------------------------------------


def test_the_shortest_forms_are_read() -> None:
    data = {"D": {"Item": {"@Name": "a", "@ClassName": "C", "Setting": {"@Name": "s"}}, "ActorPoolSize": 3}}
    definition = from_shape(data).definition
    assert definition == ProductionDefinition(
        name="D",
        actor_pool_size=3,
        items=(ItemDefinition(name="a", class_name="C", settings=(SettingValue("s", "", "Host"),)),),
    )
    assert from_shape({"D": {}}).definition == ProductionDefinition(name="D")
    assert from_shape({"Production": {"@Name": "X", "Item": None, "Setting": []}}).definition.name == "X"


@pytest.mark.parametrize("value", ["true", "TRUE", "1", 1, True])
def test_booleans_are_text_numbers_or_themselves(value: Any) -> None:
    item = {"@Name": "a", "@ClassName": "C", "@Enabled": value, "@Foreground": "", "@PoolSize": ""}
    read = from_shape({"D": {"Item": [item]}}).definition.items[0]
    assert (read.enabled, read.foreground, read.pool_size) == (True, False, 1)


def test_a_class_as_class_name_is_told_to_the_caller() -> None:
    reading = from_shape({"D": {"Item": {"@Name": "a", "@ClassName": OrderOperation}}})
    assert reading.definition.items[0].class_name == "a"
    assert reading.classes["a"][0] is OrderOperation
    read = Production.from_dict({"D": {"Item": {"@Name": "a", "@ClassName": OrderOperation}}})
    assert (read.item("a").component, read.item("a").kind) == (OrderOperation, "operation")


@pytest.mark.parametrize(
    ("data", "where", "what"),
    [
        ({"D": []}, 'production["D"]', "expected a dictionary, got list"),
        ({}, "production", "one entry"),
        ([], "production", "expected a dictionary"),
        ({"": {}}, "production", "no name"),
        ({3: {}}, "production", "no name"),
        ({"D": {"Item": "x"}}, 'production["D"]["Item"]', "expected a dictionary"),
        ({"D": {"Item": [{}]}}, 'production["D"]["Item"][0]', '"@Name" is missing'),
        ({"D": {"Item": {"@Name": " ", "@ClassName": "x"}}}, 'production["D"]["Item"]', '"@Name" is empty'),
        ({"D": {"Item": {"@Name": "a"}}}, 'production["D"]["Item"]', '"@ClassName" is missing'),
        ({"D": {"Item": {"@Name": "a", "@ClassName": 3}}}, '["Item"]["@ClassName"]', "a class is a name"),
        ({"D": {"ActorPoolSize": "many"}}, '["ActorPoolSize"]', "expected a whole number, got 'many'"),
        ({"D": {"@TestingEnabled": "yes"}}, '["@TestingEnabled"]', "expected true or false"),
        ({"D": {"Description": {}}}, '["Description"]', "expected text"),
        ({"D": {"Setting": [{"#text": "x"}]}}, '["Setting"][0]', '"@Name" is missing'),
        (
            {"D": {"Item": [{"@Name": "a", "@ClassName": "x"}, {"@Name": "a", "@ClassName": "x"}]}},
            '["Item"][1]',
            "there are two items a",
        ),
    ],
)
def test_each_wrong_shape_is_told_with_the_path_of_its_keys(data: Any, where: str, what: str) -> None:
    with pytest.raises(ShapeError) as caught:
        Production.from_dict(data)
    assert caught.value.where is not None
    assert caught.value.where.endswith(where)
    assert what in caught.value.what
    assert isinstance(caught.value, ValueError)


def test_a_key_that_means_nothing_is_a_warning() -> None:
    reading = from_shape({"D": {"Items": [], "@Name": "E"}})
    assert reading.warnings == [
        'production["D"]["Items"]: it means nothing here. Did you mean "Item"?',
        'production["D"]: "@Name" is E, the key is D; the key counts',
    ]
