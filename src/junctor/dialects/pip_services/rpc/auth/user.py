"""Who calls, as an interceptor of the program has found out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from junctor.dialects.pip_services.commons.errors import ApplicationException, UnauthorizedException
from junctor.dialects.pip_services.rpc.services.bottle_requests import extra_of
from junctor.dialects.pip_services.rpc.services.call import Call, current


def user_of(call: Call) -> Any:
    """``user`` of the call, or ``bottle.request.user``; None: nobody is known."""
    return call.user if call.user is not None else extra_of(call, "user")


def signed_user() -> Any:
    """Who calls.

    :raises UnauthorizedException: nobody is known; 401.
    """
    user = user_of(current())
    if user is None:
        text = "User must be signed in to perform this operation"
        raise UnauthorizedException(current().correlation_id, "NOT_SIGNED", text)
    return user


def user_id_of(call: Call) -> str | None:
    """The id of who calls: ``bottle.request.user_id``, or ``id`` or ``user_id`` of the user."""
    found = extra_of(call, "user_id")
    if found is None:
        user = user_of(call)
        found = _field(user, "id") if _field(user, "id") is not None else _field(user, "user_id")
    return None if found is None else str(found)


def roles_of(user: Any) -> set[str]:
    """The roles of a user."""
    roles = _field(user, "roles")
    if isinstance(roles, str):
        return {role.strip() for role in roles.split(",")}
    if isinstance(roles, Mapping):  # {"admin": False} is no admin
        return {str(role) for role, has in roles.items() if has}
    return {str(role) for role in roles} if isinstance(roles, Iterable) else set()


def forbidden(code: str, text: str) -> ApplicationException:
    """The error for somebody who is known and may not; 403."""
    return UnauthorizedException(current().correlation_id, code, text).with_status(403)


def _field(user: Any, name: str) -> Any:
    return user.get(name) if isinstance(user, Mapping) else getattr(user, name, None)
