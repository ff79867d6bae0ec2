"""Whom the data belongs to."""

from __future__ import annotations

from collections.abc import Callable

from junctor.dialects.pip_services.rpc.auth.user import forbidden, roles_of, signed_user, user_id_of
from junctor.dialects.pip_services.rpc.services.call import current


class OwnerAuthorizer:
    """Compares the id of the user with a value of the path, else of the query. Who is not known is stopped with 401,
    who is somebody else with 403."""

    def owner(self, id_param: str = "user_id") -> Callable[[], None]:
        def check() -> None:
            signed_user()
            if not _owns(id_param):
                raise forbidden("FORBIDDEN", "Only data owner can perform this operation")

        return check

    def owner_or_admin(self, id_param: str = "user_id") -> Callable[[], None]:
        def check() -> None:
            if "admin" not in roles_of(signed_user()) and not _owns(id_param):
                raise forbidden("FORBIDDEN", "Only data owner can perform this operation")

        return check


def _owns(id_param: str) -> bool:
    call = current()
    owner = call.param(id_param)
    return owner is not None and user_id_of(call) == str(owner)
