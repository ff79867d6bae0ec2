"""What a descriptor may mean that nothing fits: those that are known and much like it."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher
from importlib import import_module
from typing import Any

from junctor.dialects.pip_services.commons.refer import Descriptor, IReferences
from junctor.dialects.pip_services.components.build import CompositeFactory, Factory

_FACTORIES = Descriptor(None, "factory", None, None, None)
_NEAR = 0.7
_OURS = "junctor.dialects.pip_services."
_TO_ADD = (("pip_services3_rpc.build", "DefaultRpcFactory"), ("pip_services3_swagger.build", "DefaultSwaggerFactory"))
"""Factories that a container has only when its program adds them."""


def who_makes(locator: Any, references: IReferences) -> str:
    """How to get what no factory makes: the factory that is not added, else the descriptor that is meant."""
    for package, name in _TO_ADD:
        factory = getattr(import_module(package.replace("pip_services3_", _OURS, 1)), name)()
        if factory.can_create(locator) is not None:
            return f"; {name} of {package} does, after self._factories.add({name}())"
    return near(locator, references)


def near(locator: Any, references: IReferences) -> str:
    """``; the nearest known is a:b:c:d:1.0``, or nothing."""
    if not isinstance(locator, Descriptor):
        return ""
    known = [each for each in _known(references) if isinstance(each, Descriptor)]
    found = max(((_likeness(locator, each), str(_filled(each, locator))) for each in known), default=(0.0, ""))
    return f"; the nearest known is {found[1]}" if found[0] else ""


def _known(references: IReferences) -> Iterator[Any]:
    """The descriptors of the components that are there, and of those that factories make."""
    yield from references.get_all_locators()
    for factory in references.get_optional(_FACTORIES):
        yield from _registered(factory)


def _registered(factory: Any) -> Iterator[Any]:
    """A factory that is neither of these does not tell what it makes."""
    if isinstance(factory, CompositeFactory):
        for one in getattr(factory, "_factories", ()):
            yield from _registered(one)
    elif isinstance(factory, Factory):
        for locator, _ in getattr(factory, "_registrations", ()):
            yield locator


def _parts(descriptor: Descriptor) -> list[str | None]:
    return [
        descriptor.get_group(),
        descriptor.get_type(),
        descriptor.get_kind(),
        descriptor.get_name(),
        descriptor.get_version(),
    ]


def _likeness(asked: Descriptor, known: Descriptor) -> float:
    """From 0, a part of one is quite another, to 1. Another version is not far, whatever it is."""
    least = 1.0
    *words, version = zip(_parts(asked), _parts(known), strict=True)
    for one, other in words:
        if one and other and one != other:
            least = min(least, SequenceMatcher(None, one.lower(), other.lower()).ratio())
    if None not in version and version[0] != version[1]:
        least = min(least, 0.9)
    return least if least >= _NEAR else 0.0


def _filled(known: Descriptor, asked: Descriptor) -> Descriptor:
    """With what was asked for in the place of its open parts."""
    return Descriptor(*(one or other for one, other in zip(_parts(known), _parts(asked), strict=True)))
