"""Business services: entered by an action, by a clock, or by an adapter."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from junctor.core.spec import ActionSpec, ScheduleSpec
from junctor.dialects.iop.hosting.hosted import Hosted
from junctor.dialects.iop.hosting.inbound import adapter_name
from junctor.dialects.iop.hosting.input import input_type
from junctor.dialects.iop.hosting.item import Item
from junctor.dialects.iop.hosting.values import known

ON_PROCESS_INPUT = "on_process_input"
ON_TASK = "on_task"


def actions_of(item: Item) -> Iterator[ActionSpec]:
    """The entry of a service from outside. It takes plain data as well: the component reads it as the message that it
    takes, so that what does not fit is told in one way, whoever called."""
    cls: Any = item.component
    accepts = input_type(cls)
    told = cls.on_process_input.__doc__ or f"Takes {accepts.__name__ if isinstance(accepts, type) else 'any input'}."
    yield ActionSpec(
        name=ON_PROCESS_INPUT, bind=_entered, signature=_signature, blocking=True, doc=inspect.cleandoc(told)
    )


def _signature(message_input: Any = None) -> Any: ...


def schedules_of(item: Item) -> Iterator[ScheduleSpec]:
    """The clock of a service that has an inbound adapter. As in InterSystems IRIS, what it sends is stored when the
    send returns: an adapter then deletes or renames what it has read."""
    if adapter_name(item) is not None:
        every = known(item, "CallInterval")
        yield ScheduleSpec(name=ON_TASK, bind=_polled, every=every, repeats=True, joins=False, blocking=True)


def _entered(hosted: Hosted) -> Any:
    return hosted.process_input


def _polled(hosted: Hosted) -> Any:
    return hosted.poll
