"""Where a marked function is reached by HTTP: at the path of its mark, or at that of settings of the service."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from junctor.core.spec import Call, RouteSpec
from junctor.errors import SettingError
from junctor.services.markers import Serves
from junctor.services.member import Member, is_blocking
from junctor.settings import Setting
from junctor.settings.values import UNSET

_BRACES = re.compile(r"{([^}:]*)(?::[^}]*)?}")


class Served(msgspec.Struct, frozen=True):
    """A function with its mark. ``signature`` is its own; ``described`` stands for it where arguments are bound."""

    member: Member
    mark: Serves
    signature: inspect.Signature
    described: Call
    streams: bool = False


def routes(served: Sequence[Served], values: Mapping[str, Any], service: str) -> Iterator[RouteSpec]:
    """The routes of a service.

    :param values: its settings by name.
    :param service: its name, for the path of a setting that nobody knows yet, in a flow that is only looked at.
    :raises ConfigurationError: a mark is wrong.
    :raises SettingError: a setting is no path, no method or no status; ``where`` is its name.
    """
    held: dict[tuple[str, str], str] = {}
    for one in served:
        path = _path(one.mark.path, values, service)
        path_fits(one.member, path, one.signature)
        for method in _methods(one.mark.method, values):
            other = held.get((method, path))
            if other is not None:
                raise one.member.wrong(f"{other} answers {method} {path} already", "Give one of them another path.")
            held[method, path] = one.member.name
            yield _route(one, method, path, _status(one.mark.status, values))


def path_fits(member: Member, path: str, signature: inspect.Signature) -> None:
    """Refuse a path with a parameter that the function does not have.

    :raises ConfigurationError: it has one.
    """
    open_ended = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in signature.parameters.values())
    for name in _BRACES.findall(path):
        if name not in signature.parameters and not open_ended:
            raise member.wrong(
                f"the path {path} has {{{name}}}, and the method has no parameter of this name",
                f"Add the parameter {name}: str.",
            )


def _route(one: Served, method: str, path: str, status: int) -> RouteSpec:
    return RouteSpec(
        name=one.member.name,
        method=method,
        path=path,
        bind=one.member.bind,
        signature=one.described,
        blocking=is_blocking(one.member.function),
        status=status,
        streams=one.streams,
        doc=one.member.doc,
    )


def _path(part: str | Setting, values: Mapping[str, Any], service: str) -> str:
    if not isinstance(part, Setting):
        return part
    path = values.get(part.name, UNSET)
    if path is UNSET:
        return f"/{service}/{part.name}"
    if not isinstance(path, str) or not path.startswith("/"):
        raise SettingError(f"{path!r} is no path", where=part.name, fix="It begins with /, for example /hooks/orders.")
    return path


def _methods(part: str | Setting, values: Mapping[str, Any]) -> list[str]:
    if not isinstance(part, Setting):
        return [part]
    methods = values.get(part.name, UNSET)
    if methods is UNSET:
        return ["POST"]
    if not methods:
        raise SettingError("there is no method", where=part.name, fix="Write for example [POST].")
    listed = [methods] if isinstance(methods, str) else methods
    return list(dict.fromkeys(str(method).upper() for method in listed))


def _status(part: int | Setting, values: Mapping[str, Any]) -> int:
    status = values.get(part.name, UNSET) if isinstance(part, Setting) else part
    return 200 if status is UNSET else int(status)
