"""The life of components in a container: their order, what is said when one fails, what is closed then."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from junctor.dialects.pip_services.commons.config import ConfigParams
from junctor.dialects.pip_services.commons.errors import ConfigException, InvalidStateException
from junctor.dialects.pip_services.commons.refer import Descriptor, ReferenceException
from junctor.dialects.pip_services.components.build import CreateException, Factory
from junctor.dialects.pip_services.container import Container
from junctor.dialects.pip_services.container.refer import ManagedReferences

events: list[str] = []


@pytest.fixture(autouse=True)
def nothing_has_happened() -> None:
    events.clear()


class Part:
    """Inherits nothing: its methods say what it can do."""

    def __init__(self) -> None:
        self.name = "?"

    def configure(self, config: ConfigParams) -> None:
        self.name = config.get_as_string("name")
        self._do("configure")

    def set_references(self, references: Any) -> None:
        self._do("link")

    def unset_references(self) -> None:
        self._do("unlink")

    def is_open(self) -> bool:
        return True

    def open(self, correlation_id: str | None) -> None:
        self._do("open")

    def close(self, correlation_id: str | None) -> None:
        self._do("close")

    def _do(self, step: str) -> None:
        events.append(f"{step} {self.name}")
        if self.name == f"fails-{step}":
            raise OSError(f"cannot {step}")


class Unmade:
    def __init__(self) -> None:
        raise KeyError("limit")


class Helper(Part):
    def __init__(self) -> None:
        self.name = "helper"


class Needy(Part):
    def set_references(self, references: Any) -> None:
        super().set_references(references)
        self.helper = references.get_one_required(Descriptor("my", self.name, "*", "*", "1.0"))


def container(*components: str) -> Container:
    """A container with components like ``part:a``."""
    made = Container("shop")
    factory = Factory()
    for kind, cls in {"part": Part, "needy": Needy, "unmade": Unmade, "helper": Helper}.items():
        factory.register_as_type(Descriptor("my", kind, "*", "*", "1.0"), cls)
    made.add_factory(factory)
    config = ConfigParams()
    for index, component in enumerate(components):
        kind, _, name = component.partition(":")
        config.add_section(str(index), {"descriptor": f"my:{kind}:default:{name}:1.0", "name": name})
    made.configure(config)
    return made


def test_components_are_opened_in_their_order_and_closed_the_other_way_round() -> None:
    made = container("part:a", "part:b")
    made.open(None)
    assert made.is_open()
    assert events == ["configure a", "configure b", "link a", "link b", "open a", "open b"]
    events.clear()
    made.close(None)
    assert events == ["close b", "close a", "unlink b", "unlink a"]
    assert not made.is_open()


def test_a_closed_container_can_be_opened_again_with_new_components() -> None:
    made = container("part:a")
    made.open(None)
    before = made.references
    made.close(None)
    made.close(None)
    made.open(None)
    assert made.references is not None and made.references is not before
    with pytest.raises(InvalidStateException) as caught:
        made.open(None)
    assert caught.value.code == "ALREADY_OPENED"


def test_what_was_opened_is_closed_when_a_later_one_fails() -> None:
    made = container("part:a", "part:fails-open", "part:c")
    with pytest.raises(OSError, match="cannot open") as caught:
        made.open(None)
    assert caught.value.__notes__ == ["in open of my:part:default:fails-open:1.0"]
    assert events[-6:] == ["open a", "open fails-open", "close a", "unlink c", "unlink fails-open", "unlink a"]
    assert made.references is None


def test_all_are_closed_when_one_cannot_be() -> None:
    made = container("part:a", "part:fails-close", "part:c")
    made.open(None)
    events.clear()
    with pytest.raises(OSError, match="cannot close"):
        made.close(None)
    assert events == ["close c", "close fails-close", "close a", "unlink c", "unlink fails-close", "unlink a"]
    made.open(None)


def test_a_required_component_that_is_not_configured_is_made() -> None:
    made = container("needy:helper")
    made.open(None)
    assert "open helper" in events
    assert made.references is not None
    assert str(made.references.get_all_locators()[-1]) == "my:helper:*:*:1.0"


def test_a_missing_component_and_who_needs_it_are_named() -> None:
    made = container("part:a", "needy:nobody")
    with pytest.raises(ReferenceException, match=r"Cannot locate reference: my:nobody:\*:\*:1.0") as caught:
        made.open(None)
    assert caught.value.__notes__ == ["in link of my:needy:default:nobody:1.0"]
    assert "open a" not in events


def test_a_descriptor_that_no_factory_knows() -> None:
    with pytest.raises(ReferenceException, match="my:stranger:default:x:1.0; no factory makes it"):
        container("stranger:x").open(None)


def test_the_error_of_a_constructor_is_not_hidden() -> None:
    with pytest.raises(CreateException, match="my:unmade:default:x:1.0: KeyError: 'limit'"):
        container("part:a", "unmade:x").open(None)


def test_a_component_by_its_class() -> None:
    made = Container("shop")
    made.configure(ConfigParams.from_tuples("0.type", "ContextInfo,junctor.dialects.pip_services.components.info"))
    assert len(made.compose(None).get_all()) == 3


def test_a_component_without_a_descriptor_says_which() -> None:
    with pytest.raises(ConfigException, match=r"must have descriptor or type \(component 2\)") as caught:
        Container("shop").configure(ConfigParams.from_tuples("0.descriptor", "a:b:c:d:e", "1.name", "x"))
    assert caught.value.code == "BAD_CONFIG"


def test_context_information_names_the_container() -> None:
    made = Container("shop")
    made.configure(
        ConfigParams.from_tuples("0.descriptor", "pip-services:context-info:default:default:1.0", "0.name", "store")
    )
    made.open(None)
    assert made.name == "store"
    made.close(None)


@pytest.mark.parametrize("step", ["link", "open"])
def test_what_comes_later_and_cannot_be_used_is_not_there(step: str) -> None:
    references = ManagedReferences()
    references.open(None)
    part = Part()
    part.name = f"fails-{step}"
    with pytest.raises(OSError, match=f"cannot {step}"):
        references.put("late", part)
    assert references.get_all() == []
    references.close(None)
    assert "close" not in " ".join(events)


def test_what_comes_while_others_are_closed_is_closed_too() -> None:
    references = ManagedReferences()

    class Restless(Part):
        def close(self, correlation_id: str | None) -> None:
            super().close(correlation_id)
            late = Part()
            late.name = "late"
            references.put("late", late)

    restless = Restless()
    references.put("restless", restless)
    references.open(None)
    references.close(None)
    assert events[-3:] == ["close late", "unlink late", "unlink ?"]


def test_what_many_threads_put_and_remove_is_closed_once() -> None:
    references = ManagedReferences()
    references.open(None)

    def come_and_go(number: int) -> None:
        for turn in range(50):
            part = Part()
            part.name = f"{number}-{turn}"
            references.put(part.name, part)
            if turn % 2:
                references.remove(part.name)

    threads = [threading.Thread(target=come_and_go, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    references.close(None)
    opened = sorted(event[5:] for event in events if event.startswith("open "))
    assert len(opened) == 400
    assert sorted(event[6:] for event in events if event.startswith("close ")) == opened


def test_what_comes_later_is_linked_and_opened_and_what_goes_is_closed() -> None:
    references = ManagedReferences()
    references.open(None)
    part = Part()
    references.put(Descriptor("my", "part", "*", "*", "1.0"), part)
    assert references.remove(part) is part
    references.put("another", part)
    assert references.remove_all("another") == [part]
    assert [event.split()[0] for event in events] == ["link", "open", "unlink", "close"] * 2


class Selfless:
    limit = 3

    def check(value: Any) -> bool:
        return value > self.limit  # type: ignore[name-defined,no-any-return]  # noqa: F821


def test_a_method_without_self_is_found_before_it_is_called() -> None:
    made = container()
    factory = Factory()
    factory.register_as_type(Descriptor("my", "selfless", "*", "*", "1.0"), Selfless)
    made.add_factory(factory)
    made.configure(ConfigParams.from_tuples("0.descriptor", "my:selfless:a:b:1.0"))
    told = r"Selfless.check at test_container.py:\d+ uses self and does not take it: write def check\(self, value\):"
    with pytest.raises(ConfigException, match=told):
        made.open(None)
