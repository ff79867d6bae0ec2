"""An item that cannot run: its class is missing, or cannot be loaded. It is in error, and its messages wait."""

from __future__ import annotations

from functools import partial
from typing import Any, NoReturn

from junctor.core.policy import Policies, RestartPolicy
from junctor.core.spec import Activity, Context, HandlerSpec, ServiceSpec
from junctor.dialects.iop.hosting.item import Item
from junctor.errors import ConfigurationError


class ItemInError(ConfigurationError):
    """An item of a production has no class that could run. The others run; what is sent to it waits in its queue."""

    code = "iop-item-in-error"
    default_fix = "Correct the class or the settings file, migrate it again, and start the item anew."


def broken_spec(item: Item, problem: str) -> ServiceSpec:
    """A service that takes messages and never starts: its status says why."""
    return ServiceSpec(
        name=item.service,
        build=partial(_nothing, item),
        dialect="iop",
        origin=item.definition.class_name,
        handlers=(HandlerSpec(name="on_message", accepts=Any, replies=Any, bind=_never, blocking=True),),
        start=Activity(bind=lambda broken: partial(_refuse, item.name, problem), blocking=True),
        policies=Policies(restart=RestartPolicy(limit=0)),
    )


def _nothing(item: Item, context: Context) -> Item:
    return item


def _never(broken: Item) -> Any:
    return partial(_refuse, broken.name, broken.problem)


def _refuse(name: str, problem: str, *_: Any) -> NoReturn:
    raise ItemInError(problem, where=name)
