"""Which methods of a class are actions, and how one is called for a message."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from junctor.core.hop import current
from junctor.dialects.microservicebus.services import BaseService, CustomService, QueueMessage
from junctor.dialects.microservicebus.services.base import HOOKS, LIFECYCLE
from junctor.messages.codec import to_plain

if TYPE_CHECKING:
    from junctor.dialects.microservicebus.hosting.hosted import Hosted

PROCESS = "Process"

PLAIN = (dict, list, str, int, float, bool, type(None))

_BUILT_IN = {name for cls in CustomService.__mro__ for name in vars(cls)} - set(HOOKS)


def actions_of(cls: type[BaseService]) -> Iterator[tuple[str, Callable[..., Any]]]:
    """The actions of a class by name: methods that take one argument, the message. Plain functions whose name begins
    with an underscore are helpers of the class."""
    own = {name: None for base in reversed(cls.__mro__) for name in vars(base)}
    for name in own:
        method = inspect.getattr_static(cls, name)
        if name in LIFECYCLE or name in _BUILT_IN or name.startswith("__") or not inspect.isfunction(method):
            continue
        if name in HOOKS and not overrides(cls, name) and not _is_kept(cls, name):
            continue
        if name.startswith("_") and not inspect.iscoroutinefunction(method):
            continue
        if _takes_one(method):
            yield name, method


def _is_kept(cls: type[BaseService], name: str) -> bool:
    """Whether a method is an action where the class has only that of the base: every custom service has ``Process``."""
    return name == PROCESS and not hasattr(cls, "NAME")


def overrides(cls: type[BaseService], name: str) -> bool:
    """Whether a class has its own method of this name."""
    return inspect.getattr_static(cls, name) is not vars(BaseService).get(name)


def _takes_one(method: Callable[..., Any]) -> bool:
    try:
        inspect.signature(method).bind(None, None)
    except TypeError:
        return False
    return True


def bound(name: str, hosted: Hosted) -> Callable[[Any], Any]:
    """The action as the engine calls it: with the body of a message, on the loop of the node."""
    port, bus = hosted.port, hosted.bus
    found = getattr(hosted.life.service, name)
    blocking = not inspect.iscoroutinefunction(found)
    yields = inspect.isgeneratorfunction(found) or inspect.isasyncgenfunction(found)

    async def act(body: Any) -> None:
        life = await hosted.current() if hosted.is_between else hosted.life
        method, loop = getattr(life.service, name), life.loop
        if yields:
            raise _with_yield(name)
        incoming = port.message()
        source = bus.id_of(incoming.source) if incoming is not None else ""
        payload = body if type(body) in PLAIN else to_plain(body)
        message = QueueMessage(source, hosted.id, name, payload)
        hop = current.get()
        if not blocking:
            await loop.call(method, (message,), hop)
        elif inspect.isawaitable(rest := await hosted.threads.call(method, (message,), hop)):
            await loop.call(whole, (rest,), hop)

    return hosted.at_home(act)


async def whole(result: Any) -> None:
    """What a method has answered; a plain function has done its work.

    :raises TypeError: nothing of it has run, for there is a ``yield`` in it.
    """
    if inspect.isawaitable(result):
        await result
    elif inspect.isgenerator(result) or inspect.isasyncgen(result):
        raise _with_yield(result.__name__)


def _with_yield(name: str) -> TypeError:
    return TypeError(f"{name} has a yield in it: calling it runs nothing; take the yield out")
