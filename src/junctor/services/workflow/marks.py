"""Marks for the methods of a workflow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, overload

from junctor.services.markers import F, Queries, Signals, marked


@overload
def signal(function: F, /) -> F: ...


@overload
def signal() -> Callable[[F], F]: ...


def signal(function: Any = None, /) -> Any:
    """In a :class:`~junctor.Workflow`: a message to a run calls this method, which may change its attributes.

    A plain ``def`` that takes the body. Who sends it names the method as handler, and the run by its business key or
    id as key: ``node.target("onboard", Approval, handler="approve").send(Approval(), key="order-7")``.
    """
    if function is None:
        return signal
    return marked(function, Signals(), "@signal")


@overload
def query(function: F, /) -> F: ...


@overload
def query() -> Callable[[F], F]: ...


def query(function: Any = None, /) -> Any:
    """In a :class:`~junctor.Workflow`: tells about a run and changes nothing. A plain ``def``, called as an action is,
    with the key or id of the run as ``run``: ``POST /SERVICE/QUERY``, ``junctor call SERVICE QUERY run=order-7``."""
    if function is None:
        return query
    return marked(function, Queries(), "@query")
