"""Descriptors, references and the resolver: what fits, what is found first, what is said when nothing is."""

from __future__ import annotations

from typing import Any

import pytest

from junctor.dialects.pip_services.commons.config import ConfigParams
from junctor.dialects.pip_services.commons.errors import ConfigException, ErrorCategory
from junctor.dialects.pip_services.commons.refer import (
    DependencyResolver,
    Descriptor,
    IReferenceable,
    IUnreferenceable,
    Reference,
    ReferenceException,
    Referencer,
    References,
)


def test_a_star_is_no_value_and_fits_everything_on_either_side() -> None:
    open_ended = Descriptor("shop", "controller", "*", "", None)
    full = Descriptor("shop", "controller", "default", "main", "1.0")
    assert (open_ended.get_kind(), open_ended.get_name(), open_ended.get_version()) == (None, None, None)
    assert str(open_ended) == "shop:controller:*:*:*"
    assert open_ended.match(full) and full.match(open_ended)
    assert not open_ended.match(Descriptor("shop", "service", "*", "*", "*"))
    assert full.is_complete() and not open_ended.is_complete()


def test_equality_is_matching_so_it_does_not_carry_over_and_there_is_no_hash() -> None:
    one, other = Descriptor("a", "b", "c", "d", "1.0"), Descriptor("a", "b", "c", "e", "1.0")
    between = Descriptor("a", "b", "c", "*", "1.0")
    assert one == between and between == other and one != other
    assert not one.exact_match(between) and one.exact_match(Descriptor("a", "b", "c", "d", "1.0"))
    assert one != "a:b:c:d:1.0"
    with pytest.raises(TypeError, match="unhashable"):
        hash(one)


def test_versions_are_texts() -> None:
    assert Descriptor("a", "b", "c", "d", "1.0") != Descriptor("a", "b", "c", "d", "1.00")


def test_a_descriptor_is_read_from_five_parts() -> None:
    found = Descriptor.from_string(" a : b:*:d:1.0")
    assert found is not None and str(found) == "a:b:*:d:1.0"
    assert Descriptor.from_string(None) is None and Descriptor.from_string("") is None
    with pytest.raises(ConfigException, match="Descriptor a:b:c is in wrong format") as raised:
        Descriptor.from_string("a:b:c")
    assert raised.value.code == "BAD_DESCRIPTOR"


def test_references_are_searched_backwards() -> None:
    references = References.from_tuples("a", 1, "b", 2, "a", 3)
    assert references.get_all() == [1, 2, 3]
    assert references.get_all_locators() == ["a", "b", "a"]
    assert references.get_optional("a") == [3, 1]
    assert references.get_one_required("a") == 3
    assert references.remove("a") == 3
    assert references.remove_all("a") == [1]
    assert references.get_all() == [2]
    assert references.remove("a") is None


def test_a_reference_is_found_by_the_component_too() -> None:
    component = object()
    references = References.from_tuples(Descriptor("a", "b", "c", "d", "1.0"), component)
    assert references.get_one_optional(component) is component
    assert Reference("a", component).match(component) and not Reference("a", component).match(None)


def test_what_is_missing_is_named() -> None:
    references = References()
    assert references.get_optional("x") == [] and references.get_one_optional("x") is None
    with pytest.raises(ReferenceException, match=r"Cannot locate reference: q:b:\*:\*:\*") as raised:
        references.get_one_required(Descriptor("q", "b", "*", "*", "*"))
    assert (raised.value.code, raised.value.category) == ("REF_ERROR", ErrorCategory.Internal)
    assert raised.value.details == {"locator": "q:b:*:*:*"}
    with pytest.raises(ValueError, match="Locator"):
        references.find(None, False)
    with pytest.raises(ValueError, match="Component"):
        references.put("x", None)


def test_configuration_wins_over_what_a_constructor_put() -> None:
    resolver = DependencyResolver()
    resolver.put("controller", Descriptor("shop", "controller", "*", "*", "1.0"))
    resolver.configure(ConfigParams.from_tuples("dependencies.controller", "other:controller:*:*:1.0"))
    references = References.from_tuples(
        Descriptor("other", "controller", "default", "default", "1.0"), "theirs",
        Descriptor("shop", "controller", "default", "default", "1.0"), "ours",
    )  # fmt: skip
    resolver.set_references(references)
    assert resolver.get_one_required("controller") == "theirs"


def test_a_resolver_knows_its_names_only() -> None:
    resolver = DependencyResolver(ConfigParams.from_tuples("dependencies.log", "a name"))
    with pytest.raises(ValueError, match="References shall be set"):
        resolver.get_one_optional("log")
    resolver.set_references(References.from_tuples("a name", "found"))
    assert resolver.get_one_required("log") == "found", "what is no descriptor is a text"
    assert resolver.get_optional("nothing") is None and resolver.get_one_optional("nothing") is None
    with pytest.raises(ReferenceException, match="Cannot locate reference: nothing"):
        resolver.get_required("nothing")


def test_a_component_is_linked_whether_or_not_it_inherits_an_interface() -> None:
    class Plain:
        linked: Any = None

        def set_references(self, references: Any) -> None:
            self.linked = references

        def unset_references(self) -> None:
            self.linked = None

    component, references = Plain(), References()
    assert isinstance(component, IReferenceable) and isinstance(component, IUnreferenceable)
    assert not isinstance(object(), IReferenceable)
    Referencer.set_references(references, [component, object()])
    assert component.linked is references
    Referencer.unset_references([component, object()])
    assert component.linked is None
