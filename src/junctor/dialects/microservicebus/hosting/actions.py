"""Which methods of a class are actions, and how one is called for a message."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
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
    loop, port, bus, own = hosted.loop, hosted.port, hosted.bus, hosted.id
    method = getattr(hosted.service, name)
    blocking = not inspect.iscoroutinefunction(method)

    async def act(body: Any) -> None:
        incoming = port.message()
        source = bus.id_of(incoming.source) if incoming is not None else ""
        payload = body if type(body) in PLAIN else to_plain(body)
        message = QueueMessage(source, own, name, payload)
        if blocking:
            await in_thread(method, message)
        else:
            await loop.call(method, (message,), current.get())

    return act


async def in_thread(method: Callable[..., Any], message: QueueMessage) -> None:
    """Call a plain function in a thread of its own, as part of the hop that runs."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()
    context = contextvars.copy_context()

    def end(result: Any, error: BaseException | None) -> None:
        if not future.done():
            future.set_exception(error) if error is not None else future.set_result(result)

    def run() -> None:
        result, error = None, None
        try:
            result = context.run(method, message)
        except BaseException as raised:  # noqa: BLE001 - it is the failure of the message
            error = raised
        loop.call_soon_threadsafe(end, result, error)

    # A daemon: a function that never returns must not keep the process from ending.
    threading.Thread(target=run, name=f"{message.destination}.{message.action}", daemon=True).start()
    result = await future
    if inspect.isawaitable(result):
        await result
