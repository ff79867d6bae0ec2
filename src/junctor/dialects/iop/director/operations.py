"""What a node with a production is asked beside what every node is: the control operations of the dialect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from junctor.core.lifecycle import DELIVERING
from junctor.core.spec import service_name
from junctor.dialects.iop.director.entrance import enter_from_afar, types_of
from junctor.errors import NoHandler, ServiceStopped, nearest
from junctor.messages import TypeRegistry, codec, type_name
from junctor.messages.types import is_body_class
from junctor.node.control.entries import host_of, start_of
from junctor.node.control.table import operation

if TYPE_CHECKING:
    from junctor.node.node import Node
    from junctor.runtime.host import Host

_NOTHING = msgspec.Raw(b"null")


class Answered(msgspec.Struct):
    """What came back, with the name of its type; empty for plain data."""

    type: str
    body: msgspec.Raw = _NOTHING


@operation("iop-input", permission="send")
async def take_input(node: Node, item: str, body: msgspec.Raw = _NOTHING, type: str = "") -> Answered:
    """Call ``on_process_input`` of a business service. ``type``: what the body is, where it is a message."""
    return _answered(await enter_from_afar(node, item, _read(types_of(node, item), body, type)))


@operation("iop-test", permission="send")
async def test(node: Node, item: str, body: msgspec.Raw = _NOTHING, type: str = "") -> Answered:
    """Send a request to an item and answer its reply; a business service is called. An item that takes no messages now
    is told of at once."""
    types = types_of(node, item)
    host = host_of(node.engine, service_name(item))
    type = _own_name(host, type)
    if not host.spec.handlers and host.spec.actions:
        return _answered(await enter_from_afar(node, item, _known(types, body, type)))
    value = _known(types, body, type)
    await start_of(host)
    if host.lifecycle.state not in DELIVERING:
        what = f"{item} is {host.lifecycle.state.value}"
        raise ServiceStopped(f"{what}: {reason}" if (reason := host.lifecycle.reason) else what, where=host.flow)
    port = node.engine.client(host.flow)
    link = port.link_to(host.service, _class_of(value), Any)
    return _answered(await port.request(link, value))


def _own_name(host: Host, name: str) -> str:
    """The name of the message that the code of an item means by it: ``bank:msg.Order`` for ``msg.Order`` where another
    project has a message of that name, too."""
    own = [type_name(cls) for cls in host.spec.types]
    return name if name in own else next((known for known in own if known.endswith(f":{name}")), name)


def _class_of(value: Any) -> Any:
    return type(value) if is_body_class(type(value)) else Any


def _read(types: TypeRegistry, body: msgspec.Raw, name: str) -> Any:
    """The body as an object of its type where the flow knows that, else as plain data."""
    kind = types.named(name) if name else None
    data = bytes(body)
    return msgspec.json.decode(data) if kind is None else kind.read(data, kind.version, name)


def _known(types: TypeRegistry, body: msgspec.Raw, name: str) -> Any:
    """:raises NoHandler: the production has no message of this name."""
    if name and types.named(name) is None:
        known = [kind.name for kind in types if "." in kind.name]
        raise NoHandler(f"the production knows no message {name}", where="test", fix=nearest(name, known).rstrip())
    return _read(types, body, name)


def _answered(value: Any) -> Answered:
    kind = type(value)
    return Answered(type_name(kind) if is_body_class(kind) else "", msgspec.Raw(codec.encode(value)))
