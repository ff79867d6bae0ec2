"""Everybody, or everybody who is known."""

from __future__ import annotations

from collections.abc import Callable

from junctor.dialects.pip_services.rpc.auth.user import signed_user


class BasicAuthorizer:
    """An interceptor of the program says who calls: it sets ``bottle.request.user``."""

    def anybody(self) -> Callable[[], None]:
        return lambda: None

    def signed(self) -> Callable[[], None]:
        """Stops who is not known: 401."""

        def check() -> None:
            signed_user()

        return check
