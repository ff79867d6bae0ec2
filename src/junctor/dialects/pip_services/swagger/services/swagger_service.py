"""A page at /swagger with the documents of all services."""

from __future__ import annotations

from junctor.dialects.pip_services.rpc.services import ISwaggerService, RestService
from junctor.dialects.pip_services.swagger.services.page import page_of
from junctor.http import Response, html

_INDEX = "/swagger/index.html"


class SwaggerService(RestService, ISwaggerService):
    """``GET /swagger`` leads to a page that shows every document and links to it.

    The page is small and loads nothing from elsewhere. It has no form to try an operation: tools for OpenAPI take the
    address of the document.
    """

    def __init__(self) -> None:
        super().__init__()
        self._documents: dict[str, str] = {}

    def register_open_api_spec(self, base_route: str, swagger_route: str | None = None) -> None:
        path = self.fix_route(base_route) + self.fix_route(swagger_route or "swagger")
        self._documents[base_route.strip("/") or "default"] = path

    def register(self) -> None:
        self.register_route("GET", "swagger", None, self._redirect)
        self.register_route("GET", "swagger/index.html", None, self._page)

    def _redirect(self) -> Response:
        return Response(b"", 301, {"location": self.fix_route(self._base_route) + _INDEX})

    def _page(self) -> Response:
        return html(page_of(self._documents))
