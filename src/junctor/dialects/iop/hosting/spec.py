"""From an item to the spec that the engine runs."""

from __future__ import annotations

import functools
import inspect
from functools import partial
from typing import Any

import msgspec

from junctor.core.spec import Activity, Context, ServiceSpec
from junctor.dialects.iop.components import BusinessOperation, BusinessProcess, BusinessService
from junctor.dialects.iop.components.deferred import not_offered
from junctor.dialects.iop.components.dispatch import dispatch_of
from junctor.dialects.iop.hosting.alerts import PROCESSOR, AlertRequest
from junctor.dialects.iop.hosting.broken import broken_spec
from junctor.dialects.iop.hosting.guard import check_rules, remark_of
from junctor.dialects.iop.hosting.hosted import Hosted
from junctor.dialects.iop.hosting.item import Item
from junctor.dialects.iop.hosting.operation import handlers_of, keepalive_of
from junctor.dialects.iop.hosting.policies import policies_of
from junctor.dialects.iop.hosting.service import actions_of, schedules_of
from junctor.dialects.iop.hosting.types import known_types
from junctor.dialects.iop.hosting.values import flattened

DISABLED = "disabled in its production"


def item_spec(item: Item) -> ServiceSpec:
    """The spec of an item; of one that cannot run, that of a service in error.

    :raises SettingError: a setting does not fit.
    :raises ConfigurationError: its schedule or its ReplyCodeActions cannot be read.
    """
    check_rules(item)
    cls = item.component
    problem = item.problem or ("it has no class" if cls is None else not_offered(cls))
    if cls is None or problem:
        made = broken_spec(item, problem)
    elif issubclass(cls, BusinessProcess):
        made = _of_process(item)
    else:
        made = _of_component(item, cls)
    types = (*made.types, AlertRequest) if item.name == PROCESSOR else made.types
    resting = "" if item.definition.enabled else DISABLED
    return msgspec.structs.replace(made, types=types, resting=resting, remark=remark_of(item))


@functools.lru_cache(maxsize=256)
def _of_process(item: Item) -> ServiceSpec:
    """The same spec for the same item: classes that are made for it would look like other code where a flow is read
    again."""
    from junctor.dialects.iop.hosting.process import process_spec

    assert item.component is not None
    return _with_type(process_spec(item), item.component)


def _with_type(made: ServiceSpec, cls: type) -> ServiceSpec:
    """The spec of a process with an entry for the class in the annotation of the method that takes all else: targets of
    native services find it by that."""
    accepts = dispatch_of(cls).accepts
    if accepts is None or any(handler.accepts is accepts for handler in made.handlers):
        return made
    rest = next(handler for handler in made.handlers if handler.accepts is Any)
    handlers = (
        *(one for one in made.handlers if one is not rest),
        msgspec.structs.replace(rest, accepts=accepts),
        rest,
    )
    return msgspec.structs.replace(made, handlers=handlers)


def _of_component(item: Item, cls: type) -> ServiceSpec:
    operation, service = issubclass(cls, BusinessOperation), issubclass(cls, BusinessService)
    return ServiceSpec(
        name=item.service,
        build=partial(_hosted, item),
        dialect="iop",
        doc=inspect.cleandoc(cls.__doc__ or "") if "__doc__" in vars(cls) else "",
        origin=f"{cls.__module__}.{cls.__qualname__}",
        code="" if "<locals>" in cls.__qualname__ else f"{cls.__module__}:{cls.__qualname__}",
        handlers=tuple(handlers_of(item)) if operation else (),
        schedules=tuple(keepalive_of(item)) if operation else tuple(schedules_of(item)) if service else (),
        actions=tuple(actions_of(item)) if service else (),
        types=known_types(cls),
        settings=flattened(item),
        start=Activity(bind=lambda hosted: hosted.start, blocking=True),
        stop=Activity(bind=lambda hosted: hosted.stop, blocking=True),
        policies=policies_of(item),
    )


def _hosted(item: Item, context: Context) -> Hosted:
    return Hosted(item, context)
