"""Who has a role."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from junctor.dialects.pip_services.rpc.auth.user import forbidden, roles_of, signed_user


class RoleAuthorizer:
    """Reads ``roles`` of the user. Who is not known is stopped with 401, who has not the role with 403."""

    def user_in_roles(self, roles: Iterable[str]) -> Callable[[], None]:
        """One of the roles is enough."""
        wanted = tuple(roles)

        def check() -> None:
            if roles_of(signed_user()).isdisjoint(wanted):
                text = f"User must be {' or '.join(wanted)} to perform this operation"
                raise forbidden("NOT_IN_ROLE", text).with_details("roles", ",".join(wanted))

        return check

    def user_in_role(self, role: str) -> Callable[[], None]:
        return self.user_in_roles([role])

    def admin(self) -> Callable[[], None]:
        return self.user_in_role("admin")
