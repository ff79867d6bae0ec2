"""Which service a destination is: names are written in many ways, ``someService_py``, ``emailhandler``,
``MyOtherService``, and all of them are taken."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping

from junctor.core.spec import service_name
from junctor.errors import UnknownTarget, nearest

ALL = "*"
"""The destination that is all services."""

SUFFIX = "_py"
"""What ids of custom services end with."""

COM, LOGGER = "com", "logger"

INTERNALS = ("orchestrator", LOGGER, "msb", COM)
"""Services that every flow of this dialect has; their ids have no suffix."""

PERMANENT = "the other services of its flow need it"
"""Why operators cannot pause an internal service."""


def service_id(name: str) -> str:
    """The id of a service: ``receiver_py`` for ``receiver``, ``logger`` for ``logger``."""
    return name if name in INTERNALS or name.endswith(SUFFIX) else f"{name}{SUFFIX}"


def name_of_type(name: str) -> str:
    """The name in a flow of a class: ``readgpio`` for ``ReadGPIO``."""
    return service_name(name).removesuffix(SUFFIX)


@functools.lru_cache(maxsize=4096)
def spelled(name: str) -> str:
    """What all spellings of a name have in common."""
    small = name.strip().lower().removesuffix(SUFFIX)
    return re.sub(r"[^a-z0-9]+", "", small)


def resolve(destination: str, names: Iterable[str], classes: Mapping[str, str]) -> str:
    """The name of the service that a destination is.

    The name itself comes first, then what is spelled alike, then the class of a service: two services of one class are
    told apart by their names.

    :param names: of all services of the flow.
    :param classes: of services of this dialect, the names of their classes by their own names.
    :raises UnknownTarget: there is none, with the nearest names, or there are several.
    """
    known = list(names)
    if destination in known:
        return destination
    wanted = spelled(destination)
    found = [name for name in known if spelled(name) == wanted]
    found = found or [name for name in known if name in classes and spelled(classes[name]) == wanted]
    if len(found) > 1 and (exact := name_of_type(destination)) in found:
        return exact
    if len(found) == 1:
        return found[0]
    if found:
        what, fix = f"{destination!r} may be {' or '.join(found)}", f"Write the name as it is: {found[0]}."
    else:
        what = f"there is no service {destination!r}"
        fix = nearest(name_of_type(destination), known).strip() or "Add it to the flow."
    raise UnknownTarget(what, fix=fix)
