"""HTTP: the listener of a node, routes and actions of services, health and metrics.

What a service may import from here: responses other than JSON, streams and files, and marks for parameters that do not
come from the place that their type suggests.
"""

from junctor.http.answers.files import file
from junctor.http.answers.responses import Response, html, redirect, set_cookie, text
from junctor.http.answers.streams import Event, stream
from junctor.http.problem import HttpError
from junctor.http.requests.parameters import Body, Cookie, Form, Header, Query
from junctor.http.requests.request import Request
from junctor.http.requests.uploads import Upload

__all__ = (
    "Body",
    "Cookie",
    "Event",
    "Form",
    "Header",
    "HttpError",
    "Query",
    "Request",
    "Response",
    "Upload",
    "file",
    "html",
    "redirect",
    "set_cookie",
    "stream",
    "text",
)
