"""Parameters of components."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from junctor.dialects.pip_services.commons.config import (
    ConfigParams,
    IConfigurable,
    IReconfigurable,
    NameResolver,
    OptionsResolver,
)
from junctor.dialects.pip_services.commons.convert import TypeCode
from junctor.dialects.pip_services.commons.errors import ConfigException


def test_nested_data_becomes_texts_by_dotted_keys() -> None:
    config = ConfigParams.from_value({"a": {"b": [1, 2, {"c": None}]}, "d": True, "e": 1.5, "none": {}, "empty": []})
    assert config == {"a.b.0": "1", "a.b.1": "2", "a.b.2.c": None, "d": "True", "e": "1.5"}
    assert str(config) == "a.b.0=1;a.b.1=2;a.b.2.c;d=True;e=1.5"
    assert ConfigParams.from_value([{"descriptor": "a:b:c:d:1"}]) == {"0.descriptor": "a:b:c:d:1"}
    assert ConfigParams.from_value(None) == {}


def test_a_line_and_tuples() -> None:
    assert ConfigParams.from_string("a=1;b;c.d=3; e=x=y;") == {"a": "1", "b": None, "c.d": "3", "e": "x=y"}
    assert ConfigParams.from_string(None) == {}
    assert ConfigParams.from_tuples("a", 1, "b", None, "last") == {"a": "1", "b": None}


def test_sections() -> None:
    config = ConfigParams.from_tuples("x.a", 1, "y", 2, "x.b.c", 3, "xx.a", 4)
    assert config.get_section_names() == ["x", "y", "xx"]
    assert config.get_section("x") == {"a": "1", "b.c": "3"}
    assert config.get_section("nothing") == {} and config.get_section("") == {}
    config.add_section("z", ConfigParams.from_tuples("k", "v"))
    assert config.get("z.k") == "v"
    with pytest.raises(ValueError, match="name"):
        config.add_section("", ConfigParams())


def test_override_and_defaults_make_new_sets() -> None:
    config = ConfigParams.from_tuples("a", 1, "b", 2)
    assert config.override(ConfigParams.from_tuples("a", 9)) == {"a": "9", "b": "2"}
    assert config.set_defaults(ConfigParams.from_tuples("a", 9, "z", 8)) == {"a": "1", "z": "8", "b": "2"}
    assert ConfigParams.merge_configs(config, None, ConfigParams.from_tuples("b", 3)) == {"a": "1", "b": "3"}
    assert config == {"a": "1", "b": "2"}
    assert isinstance(config.override(None), ConfigParams)


def test_getters_of_what_is_missing() -> None:
    config = ConfigParams()
    assert config.get("x") is None
    assert config.get_as_string("x") == "" and config.get_as_nullable_string("x") is None
    assert config.get_as_string_with_default("x", None) is None
    assert (config.get_as_integer("x"), config.get_as_nullable_integer("x")) == (0, None)
    assert (config.get_as_boolean("x"), config.get_as_nullable_boolean("x")) == (False, None)
    assert (config.get_as_float("x"), config.get_as_double_with_default("x", 1.5)) == (0.0, 1.5)
    assert config.get_as_datetime("x") is None
    assert config.get_as_array("x") == [] and config.get_as_map("x") == {}


def test_getters_convert() -> None:
    config = ConfigParams.from_tuples(
        "port", "8080", "on", "Yes", "off", "n", "rate", "1.5", "at", "2020-01-02T03:04:05"
    )
    assert config.get_as_integer("port") == 8080
    assert config.get_as_boolean("on") and not config.get_as_boolean_with_default("off", True)
    assert config.get_as_float("rate") == 1.5 and config.get_as_integer("rate") == 1
    assert config.get_as_datetime("at") == datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert config.get_as_type(TypeCode.Integer, "port") == 8080
    assert config.get_as_value("port").get_as_long() == 8080
    assert config.get_as_integer_with_default("on", 7) == 7, "what is no number is the default"


def test_values_are_texts_however_they_came() -> None:
    config = ConfigParams({"a": 1})
    config.put("b", 2)
    config.append({"c": [1, 2]})
    assert config == {"a": "1", "b": "2", "c": "1,2"}
    config.remove("a")
    config.remove("a")
    assert config.clone() == config and config.clone() is not config


def test_the_name_of_a_component() -> None:
    assert NameResolver.resolve(ConfigParams.from_tuples("id", "i", "name", "n")) == "n"
    assert NameResolver.resolve(ConfigParams.from_tuples("id", "i")) == "i"
    assert NameResolver.resolve(ConfigParams.from_tuples("descriptor", "a:b:c:d:1.0")) == "d"
    assert NameResolver.resolve(ConfigParams.from_tuples("descriptor", "a:b:c:*:1.0"), "default") == "default"
    assert NameResolver.resolve(ConfigParams()) is None
    with pytest.raises(ConfigException):
        NameResolver.resolve(ConfigParams.from_tuples("descriptor", "a:b"))


def test_options() -> None:
    config = ConfigParams.from_tuples("options.timeout", 5, "a", 1)
    assert OptionsResolver.resolve(config) == {"timeout": "5"}
    assert OptionsResolver.resolve(ConfigParams.from_tuples("a", 1)) == {}
    assert OptionsResolver.resolve(ConfigParams.from_tuples("a", 1), True) == {"a": "1"}


def test_what_has_configure_is_configurable() -> None:
    class Controller:
        def configure(self, config: ConfigParams) -> None: ...

    assert isinstance(Controller(), IConfigurable)
    assert not isinstance(Controller(), IReconfigurable), "to be configured again must be said"
    assert not isinstance(object(), IConfigurable)
