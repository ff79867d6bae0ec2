"""What ``http-out`` is told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from junctor.adapters.base import Outbound
from junctor.adapters.http.trust import trust
from junctor.adapters.http.url import Url
from junctor.adapters.http.verdict import Verdict, check_verdicts
from junctor.adapters.rate import Rate
from junctor.adapters.records import Fields, checked_fields
from junctor.core.expressions import Template
from junctor.errors import ConfigurationError, SettingError
from junctor.services import Target
from junctor.settings import Duration, setting

SEEN = ("body", "headers", "key", "type", "message", "now")
"""What expressions may look at."""

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_OURS = frozenset({"connection", "content-length", "host", "transfer-encoding", "upgrade", "te", "trailer"})
"""Headers that say how the request is sent, which is not for settings."""

MIB = 1024 * 1024

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
Content = Literal["auto", "json", "form", "text", "none"]
Answer = Literal["auto", "json", "text", "none"]
Redirects = Literal["none", "same-host", "any"]


class HttpOutSettings(Outbound):
    """The settings, and what does not fit together in them."""

    extra = "http"
    needs: ClassVar[tuple[str, ...]] = ("aiohttp",)

    out: Target[Any] | None
    url: Template = setting(doc='Where to: "https://crm.example/customers/{body.customer}"; a value is quoted')
    path: str = setting("", secret=True, doc="What follows the URL, where it is secret; a template, too")
    query: dict[str, Template] = setting({}, secret=True, doc="More for the query of the URL")
    method: Method = setting("POST", doc="Method of the request")
    headers: dict[str, Template] = setting({}, secret=True, doc="Headers of the request")
    content: Content = setting(
        "auto", doc="What is sent: by default the body as JSON with POST, PUT and PATCH, else nothing"
    )
    fields: Fields = setting({}, doc="Fields of what is sent, as expressions; the whole body where it is empty")
    text: Template | None = setting(None, doc="The text that is sent with content: text; the body by default")
    user: str = setting("", doc="User name for HTTP Basic")
    password: str = setting("", secret=True, doc="Password for HTTP Basic")
    bearer: str = setting("", secret=True, doc="Token for Authorization: Bearer")
    token_url: str = setting("", doc="Where OAuth 2.0 gives tokens for client credentials")
    client_id: str = setting("", doc="Client of OAuth 2.0")
    client_secret: str = setting("", secret=True, doc="Secret of the client of OAuth 2.0")
    client_in: Literal["header", "body"] = setting("header", doc="Where a token is asked for with client and secret")
    scope: str = setting("", doc="Scope of the token")
    ca: Path | None = setting(None, doc="Certificates of the authorities to trust, in place of those of the machine")
    certificate: Path | None = setting(None, doc="One's own certificate, where the other side wants one")
    key_file: Path | None = setting(None, doc="Private key of the certificate, where it is in a file of its own")
    timeout: Duration = setting("30s", gt=0, doc="How long a call may take with its answer")
    connect_timeout: Duration = setting("10s", gt=0, doc="How long connecting may take")
    redirects: Redirects = setting("same-host", doc="Which redirects are followed, 5 at most")
    limit: int = setting(16 * MIB, gt=0, unit="bytes", doc="Largest answer, unpacked")
    on: dict[str, Verdict] = setting({}, doc='What a status means: {"404": done, "5xx": hold}')
    longest_wait: Duration = setting("1h", gt=0, doc="The most of a Retry-After that is obeyed")
    key_header: str = setting("Idempotency-Key", doc="Header with the key of the message; empty for none")
    rate: Rate | None = setting(None, doc="The most calls in a time: 100/s, 30/m")
    answer: Answer = setting("auto", doc="What the answer is read as; by default as its content type says")
    response: Fields = setting({}, doc="Fields of what is replied and sent on, as expressions; the answer by default")
    type: str = setting("", doc="Name of the type that is sent to out, where the receiver takes several")

    def check_settings(self) -> None:
        super().check_settings()
        self._check_templates()
        made = self.made_url()
        self._check_content()
        self._check_credentials()
        self._check_tls(made)
        check_verdicts(self.on, "on")
        checked_fields(self.response, "response", *SEEN, "response")

    def made_url(self) -> Url:
        """The URL with its secret end."""
        return Url(Template(self.url.text + self.path))

    def _check_templates(self) -> None:
        checked({"": self.url}, "url")
        checked({"": _template(self.path, "path")}, "path")
        checked(self.query, "query")
        checked(self.headers, "headers")
        for name in [*self.headers, *filter(None, [self.key_header])]:
            where = "headers" if name in self.headers else "key_header"
            if not _HEADER.fullmatch(name):
                raise SettingError(f"{name!r} is no name of a header", where=where, fix="For example X-API-Key.")
            if name.lower() in _OURS:
                raise SettingError(f"{name} is not for settings", where=where, fix="Leave it out.")

    def _check_content(self) -> None:
        checked_fields(self.fields, "fields", *SEEN)
        if self.fields and self.content not in ("auto", "json", "form"):
            raise SettingError("there is nothing to put them in", where="fields", fix="Write content: json or form.")
        if self.text is not None:
            checked({"": self.text}, "text")
            if self.fields or self.content not in ("auto", "text"):
                raise SettingError("it is sent with content: text alone", where="text", fix="Leave one out.")

    def _check_credentials(self) -> None:
        given = [name for name in ("user", "bearer", "token_url") if getattr(self, name)]
        if "authorization" in {name.lower() for name in self.headers}:
            given.append("headers.Authorization")
        if len(given) > 1:
            what = f"{' and '.join(given)} would both say who calls"
            raise SettingError(what, where=given[-1].partition(".")[0], fix="Leave one out.")
        if self.password and not self.user:
            raise SettingError("a password needs a user", where="password", fix="Set user, too.")
        if ":" in self.user:
            raise SettingError("a user of HTTP Basic has no colon", where="user", fix="Look at the name again.")
        self._check_token()

    def _check_token(self) -> None:
        if not self.token_url:
            given = next((name for name in ("client_id", "client_secret", "scope") if getattr(self, name)), "")
            if given:
                raise SettingError("there is nobody to ask for a token", where=given, fix="Set token_url, too.")
            return
        Url(Template(self.token_url.replace("{", "{{").replace("}", "}}")), "token_url")
        for name in ("client_id", "client_secret"):
            if not getattr(self, name):
                raise SettingError("a token is asked for with it", where=name, fix=f"Set {name}, too.")

    def _check_tls(self, made: Url) -> None:
        tls = made.origin.lower().startswith("https") or self.token_url.lower().startswith("https")
        for name in ("ca", "certificate", "key_file"):
            file: Path | None = getattr(self, name)
            if file is None:
                continue
            if not tls:
                raise SettingError("the URL is one without TLS", where=name, fix="Write https://.")
            if not file.is_file():
                raise SettingError(f"there is no file {file}", where=name, fix="Paths begin in the node's folder.")
        if self.key_file is not None and self.certificate is None:
            raise SettingError("a key needs its certificate", where="key_file", fix="Set certificate, too.")
        self._check_certificates()

    def _check_certificates(self) -> None:
        for where, files in (("ca", (self.ca, None, None)), ("certificate", (None, self.certificate, self.key_file))):
            try:
                if any(files):
                    trust(*files)
            except OSError as error:  # which errors of TLS are, too
                what = f"it cannot be used: {error.strerror or error}"
                raise SettingError(what, where=where, fix="It is a file in PEM, with its key.") from None


def _template(text: str, where: str) -> Template:
    try:
        return Template(text)
    except ConfigurationError as error:
        raise SettingError(error.what, where=where, fix=error.fix) from None


def checked(templates: Mapping[str, Template], where: str) -> None:
    """Refuse templates that look at what is not there.

    :raises SettingError: one does.
    """
    for name, template in templates.items():
        try:
            template.check(*SEEN)
        except ConfigurationError as error:
            place = f"{name}: " if name else ""
            raise SettingError(f"{place}{error.what}", where=where, fix=error.fix) from None
