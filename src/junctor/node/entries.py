"""From the names an outside caller gives to the entries of a running service: its handlers by type, its actions."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import msgspec

from junctor.core.port import Link, Port
from junctor.core.spec import ActionSpec, HandlerSpec
from junctor.errors import NoHandler, UnknownOperation, UnknownTarget
from junctor.messages import Kind, MessageType
from junctor.node.arguments import Parameters

if TYPE_CHECKING:
    from junctor.runtime.engine import Engine
    from junctor.runtime.host import Host


def host_of(engine: Engine, service: str) -> Host:
    """The running service of this name, or of this flow/name.

    :raises UnknownTarget: none has it, or several flows have one; the fix names the nearest or lists them.
    """
    if service in engine.hosts:
        return engine.hosts[service]
    named = [host for host in engine.hosts.values() if host.service == service]
    if len(named) == 1:
        return named[0]
    if named:
        addresses = ", ".join(host.address for host in named)
        raise UnknownTarget(f'several flows have a service "{service}"', fix=f"Give one of {addresses}.")
    names = [host.service for host in engine.hosts.values()]
    near = get_close_matches(service, [*names, *engine.hosts], n=1)
    listed = f"There are: {', '.join(names)}." if names else "No service runs."
    raise UnknownTarget(
        f'there is no service "{service}"', fix=f'Did you mean "{near[0]}"? {listed}' if near else listed
    )


# Handlers ---------------------------------------------------------------------------------------------------


class HandlerEntry(msgspec.Struct):
    """A handler as an outside sender reaches it."""

    link: Link
    port: Port
    where: str

    def read(self, body: msgspec.Raw) -> Any:
        """The body as an object of the handler's type.

        :raises DecodeError: with the path of the first field that does not fit.
        """
        kind = self.link.accepts
        return kind.read(bytes(body), kind.version, self.where)


def handler_for(engine: Engine, host: Host, type: str | None) -> HandlerEntry:
    """The handler for messages of this type; of any type where the service has only one handler.

    :raises NoHandler: there is none, or ``type`` is needed to choose; the fix lists the types.
    """
    types = engine.flows[host.flow].types
    handlers = [(types.register(spec.accepts), spec) for spec in host.spec.handlers]
    spec = _choose(host, handlers, type)
    port = engine.client(host.flow)
    return HandlerEntry(port.link_to(host.service, spec.accepts, spec.replies), port, host.address)


def _choose(host: Host, handlers: list[tuple[MessageType, HandlerSpec]], type: str | None) -> HandlerSpec:
    if not handlers:
        raise NoHandler("the service has no handler", where=host.address, fix="It takes no messages; see its actions.")
    fitting = [spec for kind, spec in handlers if type is None or type in (kind.name, *kind.aliases)]
    if len(fitting) == 1:
        return fitting[0]
    names = [kind.name for kind, _ in handlers]
    listed = ", ".join(names)
    if type is None:
        raise NoHandler(f"the service handles {len(names)} types", where=host.address, fix=f"Name one: {listed}.")
    near = get_close_matches(type, names, n=1)
    guess = f'Did you mean "{near[0]}"? ' if near else ""
    raise NoHandler(f'the service has no handler for "{type}"', where=host.address, fix=f"{guess}It handles {listed}.")


# Actions ----------------------------------------------------------------------------------------------------


class ActionEntry(msgspec.Struct):
    """An action as an outside caller reaches it."""

    spec: ActionSpec
    where: str

    async def call(self, host: Host, arguments: Mapping[str, Any], text: bool) -> Any:
        """Call it with these arguments and answer what it returns.

        :raises UnknownOperation: a parameter is unknown or missing.
        :raises DecodeError: an argument does not fit the type of its parameter.
        """
        parameters = Parameters(self.spec.signature, skip=("self",))
        values = parameters.bind(arguments, self.where, text=text)
        call = host.bound(self.spec)
        entered = await host.enter(Kind.ACTION, self.spec.name, call, self.spec.blocking, kwargs=values)
        return entered.value


def action_of(host: Host, name: str) -> ActionEntry:
    """The action of this name.

    :raises UnknownOperation: the service has none; the fix names the nearest or lists them.
    """
    for spec in host.spec.actions:
        if spec.name == name:
            return ActionEntry(spec, f"{host.address}.{name}")
    names = [spec.name for spec in host.spec.actions]
    near = get_close_matches(name, names, n=1)
    guess = f'Did you mean "{near[0]}"? ' if near else ""
    listed = f"It has: {', '.join(names)}." if names else "It has no actions."
    raise UnknownOperation(f'there is no action "{name}"', where=host.address, fix=guess + listed)
