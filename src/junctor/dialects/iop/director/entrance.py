"""The entrance of a business service: a call from outside its production becomes the first hop of a session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from junctor.core.spec import ActionSpec, service_name
from junctor.dialects.iop.hosting.item import Item
from junctor.dialects.iop.messages import untyped
from junctor.errors import JunctorError, nearest, text_of
from junctor.messages import Kind, TypeRegistry
from junctor.node.control.entries import start_of
from junctor.node.control.wire import CallFailed

if TYPE_CHECKING:
    from junctor.node.node import Node
    from junctor.runtime.engine import Engine
    from junctor.runtime.host import Host

INPUT = "on_process_input"
"""The action by which a business service is called."""


class NotABusinessService(JunctorError):
    """A production has no item of this name, or the item is no business service."""

    code = "iop-not-a-business-service"
    default_fix = "Name an item whose class is a BusinessService."
    status = 404


def has_service(engine: Engine, item: str) -> bool:
    """Whether an item of this name runs on the engine, of whatever kind."""
    return any(_is(host, item) for host in engine.hosts.values())


async def enter(node: Node, item: str, value: Any, *, session: int = 0) -> Any:
    """Call ``on_process_input`` of an item and answer what it returns.

    :param value: a message; None; or plain data, which becomes the type that the service asks for.
    :param session: the one that the call belongs to; 0 begins a new one.
    :raises NotABusinessService: there is no such item, or it is of another kind.
    :raises ServiceStopped: it does not run.
    """
    host, spec = _service(node, item)
    await start_of(host)
    given = (
        untyped(value) if type(value) is dict else value,
    )  # the service makes its own type of plain data, where it says which
    entered = await host.enter(Kind.ACTION, spec.name, host.bound(spec), spec.blocking, given, session=session)
    return entered.value


async def enter_from_afar(node: Node, item: str, value: Any) -> Any:
    """The same for who cannot be given the exception of the service itself.

    :raises CallFailed: the service raised; the log has the traceback.
    """
    try:
        return await enter(node, item, value)
    except JunctorError:
        raise
    except Exception as error:
        what = f"{type(error).__name__}: {text}" if (text := text_of(error)) else type(error).__name__
        fix = "`iop --log 20` shows the error."
        raise CallFailed(what, where=f"{item}.{INPUT}", fix=fix, error_type=type(error).__name__) from error


def types_of(node: Node, item: str) -> TypeRegistry:
    """The types of the flow that has the item.

    :raises NotABusinessService: there is no such item.
    """
    return _host(node, item).types


def _service(node: Node, item: str) -> tuple[Host, ActionSpec]:
    host = _host(node, item)
    for action in host.spec.actions:
        if action.name == INPUT:
            return host.successor or host, action
    what = f"{item} is no business service: it has no {INPUT}"
    raise NotABusinessService(what, where=host.flow, fix=_fix(node, item))


def _host(node: Node, item: str) -> Host:
    found = [host for host in node.engine.hosts.values() if _is(host, item)]
    if len(found) == 1:
        return found[0]
    if found:
        fix = f"Name the flow as well: {', '.join(host.address for host in found)}."
        raise NotABusinessService(f"several productions have an item {item}", fix=fix)
    raise NotABusinessService(f"the production has no item {item}", fix=_fix(node, item))


def _is(host: Host, item: str) -> bool:
    return item == host.address if "/" in item else service_name(item) == host.service


def _fix(node: Node, item: str) -> str:
    hosts = node.engine.hosts.values()
    names = {host.service: host.service for host in hosts if any(action.name == INPUT for action in host.spec.actions)}
    for flow in node.flows:
        for one in flow.model.items:
            if one.name in names and isinstance(one.source, Item):
                names[one.name] = one.source.name
    return nearest(item, names.values()).rstrip() or "The production has no business service that can be called."
