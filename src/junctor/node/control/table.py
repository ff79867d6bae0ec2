"""What can be asked of a running node: one table for command line, clients, pages and hub.

Each operation is a function in :mod:`junctor.node.control.operations` with a permission and typed parameters. It does
not know who asks, nor over which wire; whoever serves it says which permissions the asker has.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, Literal, get_args

import msgspec

from junctor.errors import ConfigurationError, UnknownOperation, nearest
from junctor.node.control.arguments import Parameters
from junctor.node.control.wire import NotPermitted

if TYPE_CHECKING:
    from junctor.node.node import Node

Permission = Literal["read", "send", "operate"]
"""``read`` changes nothing; ``send`` hands over messages; ``operate`` calls actions and stops things."""

ALL: frozenset[Permission] = frozenset(get_args(Permission))

Function = Callable[..., Any]


class Operation(msgspec.Struct, frozen=True):
    """A row of the table."""

    name: str
    permission: Permission
    doc: str
    run: Function
    parameters: Parameters


TABLE: dict[str, Operation] = {}


def operation(name: str, *, permission: Permission) -> Callable[[Function], Function]:
    """Put a function into the table: ``async def f(node, ...)`` with typed parameters.

    :raises ConfigurationError: the permission is not one, or the name is taken.
    """
    if permission not in ALL:
        raise ConfigurationError(f"{permission!r} is not a permission", where=name, fix=f"Give one of {sorted(ALL)}.")
    if name in TABLE:
        raise ConfigurationError(f'there are two operations "{name}"', where="node/control/operations")

    def register(function: Function) -> Function:
        TABLE[name] = Operation(
            name, permission, inspect.getdoc(function) or "", function, Parameters(function, skip=("node", "who"))
        )
        return function

    return register


async def perform(
    node: Node, name: str, arguments: Mapping[str, Any], permissions: Collection[Permission] = ALL, who: str = ""
) -> Any:
    """Do an operation.

    :param arguments: by name; values are JSON values, or still encoded as ``msgspec.Raw``.
    :param who: the name of the asker as the server of the wire knows it; operations that keep it have a ``who``.
    :raises UnknownOperation: there is none of this name, or the arguments have other names.
    :raises NotPermitted: the asker may not.
    :raises WrongArgument: an argument does not fit its type.
    """
    row = TABLE.get(name)
    if row is None:
        raise UnknownOperation(f'there is no operation "{name}"', fix=nearest(name, TABLE).rstrip())
    if row.permission not in permissions:
        raise NotPermitted(f'this needs the permission "{row.permission}"', where=name)
    bound = row.parameters.bind(arguments, name)
    if "who" in inspect.signature(row.run).parameters:
        bound["who"] = who
    return await row.run(node, **bound)
