"""Webhooks: messages that come by HTTP."""

from __future__ import annotations

import hashlib
from typing import Any, Literal

from junctor.adapters.base import Adapter
from junctor.adapters.http import received
from junctor.adapters.http.signature import PRESETS, Algorithm, Encoding, Scheme, problem_of
from junctor.adapters.records import checked_fields, reader_of
from junctor.core.expressions import Expression, Template, Variables
from junctor.core.expressions.template import as_text
from junctor.core.port import Receipt
from junctor.errors import (
    BodyTooLarge,
    ConfigurationError,
    ExpressionFailed,
    RequestFailed,
    RequestTimeout,
    SettingError,
)
from junctor.http.answers.responses import JSON, Response
from junctor.http.paths import parse_path
from junctor.http.problem import HttpError, of_error
from junctor.http.requests.request import Request
from junctor.messages.codec import encode
from junctor.observe.secrets import register
from junctor.services import Target, route
from junctor.settings import Duration, Secret, setting

_SEEN = ("body", "headers")
_LONGEST_KEY = 255
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


class HttpIn(Adapter):
    """Takes webhooks, at a path of the node's listener.

    Each request makes a message to ``out``, and is answered when that is on disk: with 202, or as ``answer`` says; with
    ``reply: true`` by what the receiver replies. A body that cannot be read is answered with 400, a wrong signature
    with 401, a full queue with 503 and ``Retry-After``: then nothing was taken, and the caller sends it again::

        payments:
          adapter: http-in
          settings:
            path: /hooks/payments
            signature: stripe
            secrets: ["${secret:STRIPE_WEBHOOK}"]
            once_by: body.id
          connect: {out: booking}
    """

    side = "in"

    out: Target[Any]
    path: str = setting(doc="Path below that of the flow: /hooks/orders")
    methods: list[str] = setting(["POST"], doc="Methods that are taken")
    format: received.Format = setting("auto", doc="What bodies are; by default as their content type says")
    limit: int = setting(1024 * 1024, gt=0, unit="bytes", doc="Largest body; that of the flow, http.body, holds, too")
    headers: list[str] = setting([], doc="Headers of the request that become headers of the message")
    key: Expression | None = setting(None, doc="Key of the messages, of body and headers")
    once_by: Expression | None = setting(
        None, doc="What a delivery is known by, of body and headers; one that comes twice is taken once"
    )
    signature: Literal["none", "hmac", "github", "slack", "stripe"] = setting(
        "none", doc="How requests are signed: like those of a service, or an HMAC as the next settings say"
    )
    secrets: list[Secret] = setting([], doc="Secrets of the signature; any of them, so that one can be replaced")
    signature_header: str = setting("X-Signature", doc="Header with the signature")
    algorithm: Algorithm = setting("sha256", doc="Hash of the HMAC")
    encoding: Encoding = setting("hex", doc="How the signature is written")
    prefix: str = setting("", doc="What stands before the signature: sha256=")
    timestamp_header: str = setting("", doc="Header with the time of sending, signed as TIME.BODY; empty for none")
    tolerance: Duration = setting("5m", gt=0, doc="How far the time of sending may be away")
    status: int = setting(202, ge=200, le=299, doc="Status of the answer")
    answer: Template | None = setting(None, doc="Body of the answer, of body, headers and message (id, session)")
    answer_type: str = setting("application/json", doc="Content type of the answer")
    reply: bool = setting(False, doc="Answer with what the receiver replies")
    timeout: Duration = setting("30s", gt=0, doc="How long the receiver may take for its reply")
    type: str = setting("", doc="Name of the type that is sent, where the receiver takes several")

    def check_settings(self) -> None:
        super().check_settings()
        self._check_path()
        self._check_expressions()
        if self.signature != "none" and not self.secrets:
            raise SettingError("a signature needs a secret", where="secrets", fix='Write ["${secret:NAME}"].')
        if self.signature == "none" and self.secrets:
            fix = "Write signature: github, slack, stripe or hmac."
            raise SettingError("nothing is signed with them", where="secrets", fix=fix)
        if not all(one.reveal() for one in self.secrets):
            raise SettingError("one of them is empty", where="secrets", fix="Look at where it comes from.")
        if self.reply and self.answer is not None:
            raise SettingError("the receiver makes the answer", where="answer", fix="Leave it out, or reply.")
        if self.reply and self.once_by is not None:
            fix = "Leave it out: the header Idempotency-Key is obeyed by every POST."
            raise SettingError("a request for a reply is not known by a key", where="once_by", fix=fix)

    def _check_path(self) -> None:
        try:
            segments = parse_path(self.path)
        except ConfigurationError as error:
            raise SettingError(error.what, where="path", fix=error.fix) from None
        if any(kind for kind, _ in segments):
            fix = "Write a fixed path; what differs is in the body, or in the query of a GET."
            raise SettingError("it has parameters, which nobody would read", where="path", fix=fix)
        for method in self.methods:
            if method.upper() not in METHODS:
                raise SettingError(f'"{method}" is not taken', where="methods", fix=f"Use {', '.join(METHODS)}.")

    def _check_expressions(self) -> None:
        for name in ("key", "once_by"):
            if (one := getattr(self, name)) is not None:
                checked_fields({name: one}, name, *_SEEN)
        if self.answer is not None:
            try:
                self.answer.check(*_SEEN, "message")
            except ConfigurationError as error:
                raise SettingError(error.what, where="answer", fix=error.fix) from None

    def on_start(self) -> None:
        register(one.reveal() for one in self.secrets)
        self._keys = [one.reveal().encode() for one in self.secrets]
        self._scheme = PRESETS.get(self.signature) or Scheme(
            header=self.signature_header.lower(),
            algorithm=self.algorithm,
            encoding=self.encoding,
            prefix=self.prefix,
            timestamp=self.timestamp_header.lower(),
            before="{timestamp}." if self.timestamp_header else "",
        )
        self._read = reader_of(self.out, self.type, lax=True)
        self._kept = {name.lower() for name in self.headers}

    def remark(self) -> str:
        """Beside its state in ``junctor status``."""
        return f"{', '.join(method.upper() for method in self.methods)} {self.path}"

    @route(path, methods=methods, status=status)
    async def receive(self, request: Request) -> Response:
        """A webhook: what is sent here becomes a message."""
        if request.method == "HEAD":
            return Response()
        try:
            self._check(request)
            body = received.read(request, self.format)
            labels = self._labels(request, body)
        except HttpError as error:  # the caller's fault, which is no failure of the service
            return self._refused(error)
        try:
            answer = await (self._asked(body, *labels) if self.reply else self._sent(request, body, *labels))
        except BodyTooLarge as error:  # or its key, or its headers
            return self._refused(HttpError(error.what, status=413, code=error.code, fix="Send less."))
        self.count("requests")
        return answer

    def _refused(self, error: HttpError) -> Response:
        self.count(f"refused-{error.http_status}")
        return _refusal(error)

    def _check(self, request: Request) -> None:
        """:raises HttpError: the body is too large, or not from who has the secret."""
        if len(request.body) > self.limit:
            what = f"the body is larger than {self.limit} bytes"
            raise HttpError(what, status=413, code="body-too-large", fix="Send less.")
        if self.signature == "none":
            return
        now, tolerance = self.now().timestamp(), self.tolerance
        if problem_of(self._scheme, self._keys, request.header, request.body, now=now, tolerance=tolerance):
            what = "the signature is missing, wrong or too old"
            fix = "Sign the body as it is sent, with the secret of this webhook."
            raise HttpError(what, status=401, code="signature", fix=fix)

    def _labels(self, request: Request, body: Any) -> tuple[dict[str, str], str | None, str | None]:
        """Headers, key and idempotency key of the message.

        :raises HttpError: they cannot be computed of this request.
        """
        headers = {name: value for name, value in request.headers if name in self._kept}
        seen = Variables({}, body=body, headers=dict(request.headers))
        return headers, self._value("key", seen), _short(self._value("once_by", seen))

    def _value(self, name: str, seen: Variables) -> str | None:
        expression: Expression | None = getattr(self, name)
        if expression is None:
            return None
        try:
            value = expression.value(seen)
        except ExpressionFailed as error:
            raise HttpError(f"{name}: {error.what}", code="missing") from None
        return None if value is None or value == "" else as_text(value)

    async def _sent(
        self, request: Request, body: Any, headers: dict[str, str], key: str | None, once: str | None
    ) -> Response:
        receipt = await self.out.send(self._read(body), key=key, headers=headers, idempotency_key=once)
        if self.answer is None:
            return Response(_told(receipt), self.status, [_JSON])
        message = {"id": receipt.id, "session": receipt.session} if receipt is not None else {"id": "", "session": ""}
        seen = Variables({}, body=body, headers=dict(request.headers), message=message)
        try:
            return Response(self.answer.fill(seen), self.status, media_type=self.answer_type)
        except ExpressionFailed as error:  # it is taken, whatever becomes of the answer
            self.log.warning("the answer cannot be made: %s", error.what)
            return Response(_told(receipt), self.status, [_JSON])

    async def _asked(self, body: Any, headers: dict[str, str], key: str | None, once: str | None) -> Response:
        try:
            asked: Any = self.out.request(self._read(body), key=key, timeout=self.timeout, headers=headers)
            reply = await asked
        except RequestTimeout:
            what = "no reply came in time; the request may still be carried out"
            return _refusal(HttpError(what, status=504, code="timeout", fix="Ask again later."))
        except RequestFailed as error:
            return _refusal(_failed(error))
        status = 200 if self.status == 202 else self.status
        return Response(status=204) if reply is None else Response(encode(reply), status, [_JSON])


_JSON = (JSON[0].decode(), JSON[1].decode())


def _told(receipt: Receipt | None) -> bytes:
    """What is answered by default: the message that the request has become. For a delivery that comes again, too."""
    return encode({"id": receipt.id if receipt is not None else None})


def _failed(error: RequestFailed) -> HttpError:
    """What the caller may hear of a failure: what is wrong with the body, and nothing of the inside."""
    if error.error_type == "DecodeError":
        return HttpError("the body is not what is taken here", status=422, code="body")
    return HttpError("the request failed", status=502, code="request-failed", fix="Ask who runs this service.")


def _refusal(error: HttpError) -> Response:
    status, headers, body = of_error(error)
    return Response(body, status, [(name.decode(), value.decode()) for name, value in headers])


def _short(key: str | None) -> str | None:
    return key if key is None or len(key) <= _LONGEST_KEY else hashlib.sha256(key.encode()).hexdigest()
