"""A route that stands for routes of another system, which it has in a table of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from junctor.errors import JunctorError

Headers = list[tuple[bytes, bytes]]


class RouteBehind(msgspec.Struct, frozen=True, kw_only=True):
    """One of the routes for which a route stands, as those who read what runs here are told of it.

    ``path`` has its values in braces: ``/items/{id}``. ``values`` are those by name with their types, ``queries`` the
    names that its function asks for in the query; ``takes_body``: a body may come with it.
    """

    name: str
    method: str
    path: str
    values: tuple[tuple[str, type], ...] = ()
    queries: tuple[str, ...] = ()
    takes_body: bool = False
    doc: str = ""


class Facade(Protocol):
    """What a route says of itself that stands for routes of another system."""

    def routes(self) -> Sequence[RouteBehind] | None:
        """Those behind it, as they are now; None where nothing is known of them yet."""
        ...

    def session(self, query: bytes, headers: Headers) -> int:
        """The session of a request that names it in the words of that system; 0 where it names none."""
        ...

    def refusal(self, error: JunctorError) -> tuple[int, Headers, Any]:
        """Status, headers and body of the answer to a request that did not get to the code of the service."""
        ...
