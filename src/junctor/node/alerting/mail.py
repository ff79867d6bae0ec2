"""An alert by mail: plain text over SMTP, a password only over TLS."""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Callable
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import urlsplit

from junctor.flows.destinations import Email
from junctor.node.alerting.limit import Limit
from junctor.node.alerting.notice import NotDelivered, Notice
from junctor.node.alerting.webhook import context
from junctor.observe.logs import readable
from junctor.observe.secrets import mask

SECONDS = 20.0
"""For the whole conversation: mail servers greet slowly on purpose."""

_HERE = frozenset({"localhost", "127.0.0.1", "::1"})
"""A relay of the machine itself: without a login nothing is to be kept from anybody, and its certificate is seldom one
for this name."""


def mail(email: Email, notice: Notice, key: str, stopping: Callable[[], bool], seconds: float = SECONDS) -> None:
    """Send a notice.

    :param key: makes the ``Message-ID``, the same for each attempt: mailboxes show such a mail once.
    :raises NotDelivered: the server is away, slow, or refuses; or it takes a password only without TLS.
    """
    message = composed(email, notice, key)
    with Limit(seconds, stopping) as limit:
        try:
            _deliver(email, message, limit)
        except (OSError, smtplib.SMTPException, ValueError, AttributeError) as error:
            # ValueError and AttributeError: what TLS makes of a connection that is hung up beside it.
            raise _failed(email, error, limit, seconds) from None


def composed(email: Email, notice: Notice, key: str) -> EmailMessage:
    """The mail. Its class refuses line breaks in headers; none of ours has any."""
    message = EmailMessage()
    message["From"] = email.origin
    message["To"] = ", ".join(email.to_)
    message["Subject"] = " ".join(readable(notice.subject).split())
    message["Date"] = format_datetime(notice.time)
    message["Message-ID"] = f"<{key}@{email.origin.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
    message.set_content(notice.text + "\n")
    return message


class _Conversation(smtplib.SMTP):
    """SMTP over a connection that a limit watches; with ``tls`` in TLS from the first byte."""

    def __init__(self, host: str, port: int, limit: Limit, tls: ssl.SSLContext | None) -> None:
        self._limit = limit
        self._tls = tls
        # The name is given: to look up a full one may take longer than all the rest.
        super().__init__(host, port, local_hostname=socket.gethostname(), timeout=limit.left)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        sock = socket.create_connection((host, port), timeout)
        self._limit.watch(sock)
        return sock if self._tls is None else self._tls.wrap_socket(sock, server_hostname=host)


def _deliver(email: Email, message: EmailMessage, limit: Limit) -> None:
    parts = urlsplit(email.server)
    at_once = parts.scheme == "smtps"
    port = parts.port or (465 if at_once else 587 if email.user else 25)
    tls = context(email.ca)
    with _Conversation(parts.hostname or "", port, limit, tls if at_once else None) as server:
        server.ehlo_or_helo_if_needed()
        if not at_once and server.has_extn("starttls") and (email.user is not None or parts.hostname not in _HERE):
            server.starttls(context=tls)
            server.ehlo()
        elif not at_once and email.user is not None:
            fix = "Use a server with STARTTLS, or smtps://; a password is not sent in clear."
            raise NotDelivered("the server offers no TLS", where=email.to, fix=fix)
        if email.user is not None and email.password is not None:
            server.login(email.user, email.password)
        refused = server.send_message(message)
    if refused:
        raise NotDelivered(f"the server refused {', '.join(sorted(refused))}", where=email.to)


def _failed(email: Email, error: Exception, limit: Limit, seconds: float) -> NotDelivered:
    fix = None
    if limit.over or isinstance(error, TimeoutError):
        text = f"the server did not take it within {seconds:g} s"
    elif isinstance(error, ssl.SSLCertVerificationError):
        text = f"the certificate of the server is not accepted: {error.verify_message}"
        fix = "For a private authority give its certificate: email: {..., ca: /etc/ssl/our-ca.pem}."
    elif isinstance(error, smtplib.SMTPAuthenticationError):
        text, fix = f"the server refused the login of {email.user}", "Correct user and password."
    elif isinstance(error, smtplib.SMTPResponseException):
        told = error.smtp_error.decode("utf-8", "replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
        text = f"the server answered {error.smtp_code} {told}"
    else:
        text = f"{type(error).__name__}: {getattr(error, 'strerror', None) or error}".rstrip(": ")
    return NotDelivered(mask(readable(text)), where=email.to, fix=fix)
