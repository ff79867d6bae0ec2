"""What components are called as services."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from junctor.core.spec import service_name
from junctor.dialects.pip_services.commons.refer import Descriptor

_TOOLKIT = "pip-services"
_USUAL = (None, "default")


def component_name(locator: Any) -> str:
    """``hello-world-controller`` for ``hello-world:controller:default:default:1.0``: the parts that say something.

    The group of the toolkit itself, the version, and what is ``default`` say nothing.
    """
    if not isinstance(locator, Descriptor):
        return service_name(str(locator))
    group = locator.get_group()
    parts = [None if group == _TOOLKIT else group, locator.get_type(), locator.get_kind(), locator.get_name()]
    return service_name("-".join(part for part in parts if part not in _USUAL) or str(locator))


def distinct(names: Iterable[str], taken: Collection[str] = ()) -> list[str]:
    """The names in their order, with a number behind each that was there before."""
    used = set(taken)
    made: list[str] = []
    for name in names:
        number, free = 1, name
        while free in used:
            number += 1
            free = f"{name}-{number}"
        used.add(free)
        made.append(free)
    return made
