"""A business service that runs in this process, called from any of its threads."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
from collections.abc import Callable, Coroutine
from typing import Any

from junctor.core.hop import current
from junctor.dialects.iop.director.entrance import enter, has_service
from junctor.errors import NotRunning
from junctor.node.here import nodes_here
from junctor.node.node import Node

Place = tuple[Node, asyncio.AbstractEventLoop]


def node_with(item: str) -> Place | None:
    """The node of this process that has an item of this name, the one whose code runs now before others."""
    found = [place for place in nodes_here() if has_service(place[0].engine, item)]
    hop = current.get()
    mine = [place for place in found if hop is not None and hop.address in place[0].engine.hosts]
    return next(iter(mine or found), None)


def any_node() -> bool:
    """Whether a node runs in this process."""
    return bool(nodes_here())


def call_inside(place: Place, item: str, value: Any, *, new_session: bool) -> Any:
    """Call a business service and wait for what it returns; what it raises is raised here.

    In a callback of a component the call belongs to the session of that callback.

    :param new_session: begin a session in any case.
    :raises RuntimeError: called on the event loop of the node, which would wait for itself.
    """
    node, loop = place
    if asyncio._get_running_loop() is loop:
        what = f"on_process_input of {item} waits, and would stop the event loop of its node"
        raise RuntimeError(f"{what}. Call it in a thread: await asyncio.to_thread(service.on_process_input, message).")
    hop = current.get()
    session = 0 if new_session or hop is None else hop.session
    return _waited(node, loop, lambda: enter(node, item, value, session=session))


def _waited(node: Node, loop: asyncio.AbstractEventLoop, work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """What work on the loop of a node comes to, for a thread that waits."""
    answer: concurrent.futures.Future[Any] = concurrent.futures.Future()

    def ended(task: asyncio.Task[Any]) -> None:
        if task.cancelled():
            answer.set_exception(NotRunning("the node stopped before the service answered", where="Director"))
        elif (error := task.exception()) is not None:
            answer.set_exception(error)
        else:
            answer.set_result(task.result())

    def begin() -> None:
        node.engine.supervisor.start("director", work(), failed=lambda error: None).add_done_callback(ended)

    try:
        # The hop of the caller is not that of the service.
        loop.call_soon_threadsafe(begin, context=contextvars.Context())
    except RuntimeError as error:  # the loop is closed
        raise NotRunning("the node has stopped", where="Director") from error
    return answer.result()
