"""An alert to an address in the web: one POST, over verified TLS, within a time, followed nowhere else."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from junctor import __version__
from junctor.flows.destinations import Webhook
from junctor.node.alerting.limit import Limit
from junctor.node.alerting.notice import NotDelivered, Notice
from junctor.observe.logs import readable
from junctor.observe.secrets import mask

SECONDS = 10.0
"""For all of it, from the connection to the last byte of the answer."""

_TOLD = 200
"""Characters of what it says that an error tells."""

_READ = 4096
"""Bytes of an answer that are read: an error tells the begin of it."""


def post(webhook: Webhook, notice: Notice, key: str, stopping: Callable[[], bool], seconds: float = SECONDS) -> None:
    """Send a notice.

    :param key: the header ``Idempotency-Key``: the same for each attempt.
    :raises NotDelivered: no answer came in time, or another one than 2xx.
    """
    with Limit(seconds, stopping) as limit:
        try:
            status, reason, begin, location = _exchange(webhook, notice.payload(), key, limit)
        except (OSError, http.client.HTTPException, ValueError, AttributeError) as error:
            # ValueError and AttributeError: what TLS and its buffers make of a connection that is hung up beside them.
            raise _failed(webhook, error, limit, seconds) from None
    if not 200 <= status < 300:
        raise NotDelivered(_refused(status, reason, begin, location), where=webhook.to)


def _exchange(webhook: Webhook, body: bytes, key: str, limit: Limit) -> tuple[int, str, str, str]:
    parts = urlsplit(webhook.url)
    host = parts.hostname or ""
    plain = parts.scheme == "http"
    port = parts.port or (80 if plain else 443)
    connection = http.client.HTTPConnection(host, port, timeout=limit.left)
    connection.sock = _connected(host, port, None if plain else context(webhook.ca), limit)
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", path, body, _headers(webhook, key))
        answer = connection.getresponse()
        begin = answer.read(_READ)
        return answer.status, answer.reason, begin.decode("utf-8", "replace"), answer.headers.get("Location", "")
    finally:
        connection.close()


def _connected(host: str, port: int, tls: ssl.SSLContext | None, limit: Limit) -> socket.socket:
    sock = socket.create_connection((host, port), timeout=limit.left)
    limit.watch(sock)
    return sock if tls is None else tls.wrap_socket(sock, server_hostname=host)


def context(ca: str | None) -> ssl.SSLContext:
    """TLS that trusts the public authorities, or those of this file instead.

    :raises NotDelivered: the file cannot be read.
    """
    try:
        return ssl.create_default_context(cafile=ca)
    except OSError as error:
        text = f"the certificates in {ca} cannot be read: {error.strerror or error}"
        raise NotDelivered(text, where="ca", fix="Give a PEM file with the certificate of the authority.") from None


def _headers(webhook: Webhook, key: str) -> dict[str, str]:
    usual = {"Content-Type": "application/json", "User-Agent": f"junctor/{__version__}", "Connection": "close"}
    ours = {"idempotency-key": key}
    named = {name.title(): text for name, text in {**_lower(usual), **_lower(webhook.headers), **ours}.items()}
    return named


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    """Names of headers have no case: one that is written otherwise is the same, not a second one."""
    return {name.lower(): text for name, text in headers.items()}


def _failed(webhook: Webhook, error: Exception, limit: Limit, seconds: float) -> NotDelivered:
    if limit.over or isinstance(error, TimeoutError):
        return NotDelivered(f"no answer within {seconds:g} s", where=webhook.to)
    fix = None
    if isinstance(error, ssl.SSLCertVerificationError):
        text = f"its certificate is not accepted: {error.verify_message}"
        fix = "For a private authority give its certificate: webhook: {url: ..., ca: /etc/ssl/our-ca.pem}."
    else:
        text = f"{type(error).__name__}: {getattr(error, 'strerror', None) or error}".rstrip(": ")
    return NotDelivered(mask(readable(text)), where=webhook.to, fix=fix)


def _refused(status: int, reason: str, begin: str, location: str) -> str:
    if 300 <= status < 400:
        host = _shown(_host(location))
        return f"it answered {status}, a redirect{f' to {host}' if host else ''}, which is not followed"
    told = _shown(begin)
    return f"it answered {status} {_shown(reason)}".rstrip() + (f": {told}" if told else "")


def _host(location: str) -> str:
    """The host of a redirect; empty where the header is no address."""
    try:
        return urlsplit(location).hostname or ""
    except ValueError:
        return ""


def _shown(text: str) -> str:
    """What a server says, as one short line that may be shown."""
    return " ".join(mask(readable(text)).split())[:_TOLD]
