"""The settings of a class: which of its attributes they are, what tools read of them, and how texts become values."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import pytest

from junctor.dialects import iop
from junctor.dialects.iop import Category, Setting, TargetSetting, TargetSettingRef, controls, setting, target
from junctor.dialects.iop.definition import SettingValue
from junctor.dialects.iop.settings import applied, generated_settings
from junctor.errors import SettingError


class Base(iop.BusinessOperation):
    path: str = "/tmp"
    retries = 3


class Many(Base):
    """An operation with settings of every kind."""

    ICON_URL = "icon.png"

    share: float = 0.5
    active: bool = True
    bare: int
    text: str | None = None
    items = None
    listed: list[str] = ["a"]
    hidden: ClassVar[int] = 1
    noted: Annotated[int, Setting(required=True, description="How many.")]
    defaulted: Annotated[int, Setting(category=Category.DEV)] = 7
    folder: str = setting("/var", category=Category.BASIC, control=controls.directory(), description="Where.")
    untyped = setting(data_type=int)
    left_out = setting(1, exclude=True)
    Output = target()
    _private = 1

    def retries_info(self) -> dict[str, Any]:
        return {"Category": "Basic", "Description": "Again.", "IsRequired": 1, "DataType": "%Integer"}

    def items_info(self) -> dict[str, Any]:
        return {"ExcludeFromSettings": True}

    @property
    def computed(self) -> int:
        return 1

    def on_message(self, request: Any) -> None: ...


def described(name: str) -> list[Any]:
    return next(one for one in Many._get_properties() if one[0] == name)


def test_which_attributes_are_settings() -> None:
    assert {one[0] for one in Many._get_properties()} == {
        *("path", "retries", "share", "active", "bare", "text", "listed", "noted", "defaulted", "folder"),
        *("untyped", "Output"),
    }


@pytest.mark.parametrize(
    "expected",
    [
        ["path", "String", "/tmp", 0, "Additional", "", ""],
        ["retries", "%Integer", 3, 1, "Basic", "Again.", ""],
        ["share", "Numeric", 0.5, 0, "Additional", "", ""],
        ["active", "Boolean", True, 0, "Additional", "", ""],
        ["bare", "Integer", "", 0, "Additional", "", ""],
        ["text", "String", "", 0, "Additional", "", ""],
        ["listed", "String", "", 0, "Additional", "", ""],
        ["noted", "Integer", "", 1, "Additional", "How many.", ""],
        ["defaulted", "Integer", 7, 0, "Dev", "", ""],
        ["folder", "String", "/var", 0, "Basic", "Where.", "directorySelector"],
        ["untyped", "Integer", "", 0, "Additional", "", ""],
        ["Output", "Ens.DataType.ConfigName", "", 0, "Basic", "", controls.production_item()],
    ],
    ids=lambda expected: expected[0],
)
def test_what_tools_read(expected: list[Any]) -> None:
    assert described(expected[0]) == expected


def test_the_info_of_a_class() -> None:
    assert Many._get_info() == ["BusinessOperation", "An operation with settings of every kind.", "", "icon.png", ""]
    assert iop.BusinessOperation._get_info() == []
    assert iop.BusinessOperation._get_properties() == []


def test_a_derived_class_can_make_a_method_of_it() -> None:
    class Changed(Base):
        def path(self) -> None: ...  # type: ignore[override]

    assert list(generated_settings(Changed)) == ["retries"]


def test_an_annotation_that_cannot_be_resolved_is_text() -> None:
    class Odd(iop.BusinessService):
        number: Nowhere = 5  # type: ignore[name-defined]  # noqa: F821
        other: Nowhere  # type: ignore[name-defined]  # noqa: F821

    assert [(one.name, one.kind) for one in generated_settings(Odd).values()] == [("number", int), ("other", str)]


def test_an_instance_reads_its_own_value_else_the_default() -> None:
    component = Many()
    assert (component.folder, component.untyped, component.Output) == ("/var", None, "")
    component.folder = "/srv"
    assert (component.folder, Many().folder) == ("/srv", "/var")
    assert isinstance(Many.folder, Setting)
    assert isinstance(Many.Output, TargetSetting)


def test_a_reference_to_a_target_setting() -> None:
    reference = TargetSettingRef("Input", "Output")
    assert (str(reference), reference.item, reference.setting) == ("Input.Output", "Input", "Output")


def test_controls_are_names() -> None:
    assert (controls.raw("x"), controls.charset(), controls.ssl_config()) == (
        "x",
        "characterSetSelector",
        "sslConfigSelector",
    )
    assert controls.production_item(multiple=True).startswith("selector?multiSelect=1&context=")


# Values --------------------------------------------------------------------------------------------------------


def given(**texts: str) -> list[SettingValue]:
    return [SettingValue("%settings" if name == "lines" else name, text) for name, text in texts.items()]


def test_texts_become_values_of_the_type() -> None:
    component = Many()
    others = applied(component, given(retries="5", share="1", active="0", path="007", bare=" 8 ", noted="1"), "Item")
    found = {name: getattr(component, name) for name in ("retries", "share", "active", "path", "bare")}
    assert found == {"retries": 5, "share": 1.0, "active": False, "path": "007", "bare": 8}
    assert type(component.share) is float
    assert others == []


@pytest.mark.parametrize(("text", "value"), [("1", True), ("0", False), ("true", True), ("False", False), ("on", True)])
def test_booleans(text: str, value: bool) -> None:
    component = Many()
    applied(component, given(active=text, noted="1"), "Item")
    assert component.active is value


def test_an_empty_text_sets_nothing() -> None:
    component = Many()
    applied(component, given(retries="", path="", noted="1"), "Item")
    assert (component.retries, component.path) == (3, "/tmp")


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("retries", "five", r'Python\.My\.retries: expected int, got "five". Give a whole number'),
        ("retries", "1.5", "expected int"),
        ("share", "half", "expected float"),
        ("active", "maybe", r"expected bool, got \"maybe\". Give 1 or 0"),
    ],
)
def test_a_text_of_the_wrong_type(name: str, text: str, expected: str) -> None:
    with pytest.raises(SettingError, match=expected):
        applied(Many(), given(**{name: text}), "Python.My")


def test_a_required_setting_without_a_value() -> None:
    with pytest.raises(SettingError, match=r"Item\.noted: is required and has no value"):
        applied(Many(), given(), "Item")


def test_lines_of_settings_stay_text() -> None:
    component = Many()
    applied(component, given(lines="retries=5\n\nurl=http://a?b=c\r\nno sign\n =x", noted="1"), "Item")
    assert (component.retries, component.url) == ("5", "http://a?b=c")  # type: ignore[attr-defined, comparison-overlap]


def test_a_default_in_an_annotation_alone() -> None:
    class Noted(iop.BusinessOperation):
        number: Annotated[int, Setting(default=5)]
        nothing: int

    component = Noted()
    applied(component, [], "Item")
    assert component.number == 5
    assert not hasattr(component, "nothing")


def test_a_setting_of_the_item_wins_over_a_line() -> None:
    component = Many()
    applied(component, given(lines="retries=5", retries="6", noted="1"), "Item")
    assert component.retries == 6


def test_settings_that_the_class_does_not_declare_are_told_and_set_as_text() -> None:
    component = Many()
    others = applied(component, given(Nope="1", RetryInterval="2", noted="1"), "Item", known={"RetryInterval": None})
    assert others == ["Nope"]
    assert component.Nope == "1"  # type: ignore[attr-defined]
    assert not hasattr(component, "RetryInterval")


@pytest.mark.parametrize("name", ["_door", "__class__", "on_message", "log_info"])
@pytest.mark.parametrize("line", [True, False])
def test_names_of_what_a_component_is_are_refused(name: str, line: bool) -> None:
    values = given(lines=f"{name}=x") if line else given(**{name: "x"})
    with pytest.raises(SettingError, match=rf"Item\.{name}: is no setting"):
        applied(Many(), values, "Item")
