"""HTTP: the listener of a node, routes and actions of services, health and metrics.

What a service may import from here: responses other than JSON, streams and files, and marks for parameters that do not
come from the place that their type suggests.
"""

from junctor.http.files import file
from junctor.http.parameters import Body, Cookie, Form, Header, Query
from junctor.http.problem import HttpError
from junctor.http.responses import Response, html, redirect, set_cookie, text
from junctor.http.streams import Event, stream
from junctor.http.uploads import Upload

__all__ = (
    "Body",
    "Cookie",
    "Event",
    "Form",
    "Header",
    "HttpError",
    "Query",
    "Response",
    "Upload",
    "file",
    "html",
    "redirect",
    "set_cookie",
    "stream",
    "text",
)
