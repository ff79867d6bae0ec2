"""What an endpoint and a service may be asked for."""

from __future__ import annotations

from abc import ABC


class IRegisterable(ABC):  # noqa: B024 - told by the method, not by the base class
    """Enters its routes when the endpoint opens."""

    def register(self) -> None:
        raise NotImplementedError(f"{type(self).__name__}.register is not written")


class ISwaggerService(ABC):  # noqa: B024
    """Shows the documents of other services."""

    def register_open_api_spec(self, base_route: str, swagger_route: str | None = None) -> None:
        """
        :param base_route: the service that has the document.
        :param swagger_route: its path below that; None: ``swagger``.
        """
        raise NotImplementedError(f"{type(self).__name__}.register_open_api_spec is not written")
