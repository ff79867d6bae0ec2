"""Factories: which one makes a component, and what is said when its constructor fails."""

from __future__ import annotations

import pytest

from junctor.dialects.pip_services.commons.refer import Descriptor
from junctor.dialects.pip_services.components.build import CompositeFactory, CreateException, Factory


class Lamp:
    pass


class Broken:
    def __init__(self) -> None:
        raise KeyError("limit")


LAMP = Descriptor("home", "lamp", "*", "*", "1.0")


def factory_of(locator: Descriptor, cls: type) -> Factory:
    made = Factory()
    made.register_as_type(locator, cls)
    return made


def test_the_first_registration_that_fits_makes_the_component() -> None:
    made = factory_of(LAMP, Lamp)
    asked = Descriptor("home", "lamp", "led", "kitchen", "1.0")
    assert str(made.can_create(asked)) == "home:lamp:*:*:1.0"
    assert isinstance(made.create(asked), Lamp)
    assert made.can_create(Descriptor("home", "fan", "*", "*", "1.0")) is None
    assert made.create(Descriptor("home", "fan", "*", "*", "1.0")) is None


def test_a_factory_function_gets_the_locator_that_was_asked_for() -> None:
    made = Factory()
    made.register(LAMP, lambda locator: locator.get_name())
    assert made.create(Descriptor("home", "lamp", "led", "kitchen", "1.0")) == "kitchen"


def test_of_several_factories_the_one_added_last_is_asked_first() -> None:
    class Other(Lamp):
        pass

    several = CompositeFactory(factory_of(LAMP, Lamp))
    other = factory_of(LAMP, Other)
    several.add(other)
    assert type(several.create(LAMP)) is Other
    several.remove(other)
    assert type(several.create(LAMP)) is Lamp


def test_an_error_of_a_constructor_is_named_with_the_locator() -> None:
    with pytest.raises(CreateException, match=r"home:lamp:\*:\*:1.0: KeyError: 'limit'") as caught:
        CompositeFactory(factory_of(LAMP, Broken)).create(LAMP)
    assert caught.value.code == "CANNOT_CREATE"
    assert isinstance(caught.value.__cause__, KeyError)


def test_what_no_factory_makes_is_an_error_of_the_whole() -> None:
    with pytest.raises(CreateException, match="cannot be created"):
        CompositeFactory().create(LAMP)
    with pytest.raises(ValueError, match="Locator"):
        Factory().register_as_type(None, Lamp)
