"""HTTP: the listener of a node, routes and actions of services, health and metrics.

What a service may import from here: responses other than JSON, and marks for parameters that do not come from the place
that their type suggests.
"""

from junctor.http.parameters import Body, Header, Query
from junctor.http.problem import HttpError
from junctor.http.responses import Response, html, redirect, text

__all__ = (
    "Body",
    "Header",
    "HttpError",
    "Query",
    "Response",
    "html",
    "redirect",
    "text",
)
