"""Calls into a running service from any process: ``perform``."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import quote

from junctor.dialects.servicefactory.api import SHUTDOWN
from junctor.dialects.servicefactory.token import TOKEN_HEADER, read_token, read_url
from junctor.errors import JunctorError

PATIENCE = 30.0
"""Seconds for an answer."""


class ServiceNotReached(JunctorError):
    """No service of Service Factory answers on its port."""

    code = "service-not-reached"
    default_fix = "Start it: python FILE.py, or junctor run FILE.py."
    status = 503


class Reply:
    """The answer of an action: as much of ``requests.Response`` as programs use. ``url`` is where it came from."""

    def __init__(self, status_code: int, content: bytes, url: str = "") -> None:
        self.status_code = status_code
        self.content = content
        self.url = url

    @property
    def ok(self) -> bool:
        """Whether the status is below 400."""
        return self.status_code < 400

    @property
    def text(self) -> str:
        """The body as text."""
        return self.content.decode(errors="replace")

    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.content)

    def __repr__(self) -> str:
        return f"<Reply [{self.status_code}]>"


def place_of(port: int) -> str:
    """Where the actions of the service on this port are: there, or where its flow has them."""
    # Not by a name: what listens at another address of it may be the program of somebody else.
    return read_url(port) or f"http://127.0.0.1:{port}"


def ask(port: int, action: str, data: Any = None) -> Reply:
    """Do an action of the service on this port of this machine: a POST with the data as JSON, without data a GET.

    :raises ServiceNotReached: nothing listens there, or it does not answer within half a minute.
    """
    url = f"{place_of(port)}/{quote(action)}"
    body = json.dumps(data).encode() if data else None
    headers = {"Content-Type": "application/json"} if body else {}
    token = read_token(port) if action == SHUTDOWN else ""
    if token:
        headers[TOKEN_HEADER] = token
    request = urllib.request.Request(url, body, headers)
    try:
        with _opener.open(request, timeout=PATIENCE) as answer:
            return Reply(answer.status, answer.read(), url)
    except urllib.error.HTTPError as error:
        with error:
            return Reply(error.code, error.read(), url)
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise ServiceNotReached(f"no service answers on port {port}: {reason}", where=url) from error


class _Stay(urllib.request.HTTPRedirectHandler):
    """An action may lead elsewhere; what it was sent, and the token, does not go there."""

    def redirect_request(self, *args: Any) -> None:
        return None


# No proxy stands between two processes of one machine.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay())
